# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""What the workers of a program say, and who they are."""

import os
import re

#: A service whose workers say when they begin and end to serve, and which
#: configuration they have.
SERVICE = """
import oslo_asyncio

CONF.register_opts([
    cfg.IntOpt("a", mutable=True),
    cfg.IntOpt("b", mutable=True),
    cfg.BoolOpt("hang", default=False),
    cfg.BoolOpt("fail", default=False),
    cfg.IntOpt("only", default=0),
])

class Counting(service.Service):
    def who(self):
        return f"worker={oslo_asyncio.worker_id()} pid={os.getpid()} a={CONF.a}"

    async def start(self):
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self.tell)
        if oslo_asyncio.worker_id() >= CONF.only:
            if CONF.hang:
                say("hangs", self.who())
                await asyncio.Event().wait()
            if CONF.fail:
                raise LookupError("no such rabbit")
        say("up", self.who())

    def tell(self):
        say("serves", self.who())

    async def stop(self):
        say("down", self.who())

    async def reset(self):
        say("reset", self.who())
"""


def launch(workers=4, **options):
    """Run that service."""
    more = "".join(f", {name}={value!r}" for name, value in options.items())
    return SERVICE + (
        f"\nlauncher = service.launch(CONF, Counting(), workers={workers}{more})\n"
        "sys.exit(launcher.wait())\n"
    )


def wait_ready(program, count):
    """Wait until all are ready; who they are, by worker."""
    seen = len(program.lines)
    program.wait_for(f"INFO {count} of {count} workers are ready")
    return {who["worker"]: who for who in who_said(program.lines[seen:], "up")}


def who_said(lines, word):
    """Who has said that: dicts of numbers."""
    return [parse(line) for line in lines if line.startswith(f"{word} ")]


def parse(line):
    return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", line)}


def hear_of(program, word, count):
    """The next ``count`` who say that, skipping what others say."""
    return [parse(program.wait_for(f"{word} ")) for _ in range(count)]


def who_said_until(program, word, total):
    """Who has said that, from the beginning until so many have."""
    while count(program, f"{word} ") < total:
        program.next_line()
    return who_said(program.lines, word)


def roll_call(program, team, signum):
    """Each worker of the team answers a signal: by worker."""
    for who in team.values():
        os.kill(who["pid"], signum)
    said = hear_of(program, "serves", len(team))
    return {who["worker"]: who for who in said}


def fewest_up(lines):
    """How few were up at once, from the first SIGHUP on."""
    up, fewest = 0, None
    for line in lines:
        up += line.startswith("up ") - line.startswith("down ")
        if fewest is not None:
            fewest = min(fewest, up)
        elif line.startswith("INFO Received SIGHUP"):
            fewest = up
    return fewest


def count(program, start):
    """How many lines begin like this so far."""
    return sum(line.startswith(start) for line in program.lines)
