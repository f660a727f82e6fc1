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

"""What a reload leaves behind: nothing."""

import os
import signal
import subprocess

from oslo_asyncio.tests.functional.reload import crew

RELOADS = 200


def test_row_38_nothing_of_a_service_runs_in_the_parent(start):
    program = start(
        crew.SERVICE
        + """
class Ticking(Counting):
    def __init__(self):
        super().__init__()
        say("made", os.getpid())

    async def start(self):
        self.tick(5)

    def tick(self, left):
        say("tick", os.getpid())
        if left:
            asyncio.get_running_loop().call_later(0.001, self.tick, left - 1)

    def wait(self):
        say("wait", os.getpid())

    async def stop(self):
        say("stop", os.getpid())

# what eventlet leaves behind when it patches, and the fork would keep
import gc
gc.disable()
trash = [_unpatched.select.epoll()]
trash.append(trash)
del trash
sys.exit(service.launch(CONF, Ticking(), workers=2).wait())
""",
        env={"HAS_AN_EAR": ""},  # a green socket would make an eventlet hub
    )
    for _ in range(12):
        program.wait_for("tick")
    assert threads(program.pid) == 1
    assert not [target for target in fds(program.pid) if "eventpoll" in target]
    assert program.stop() == 0
    program.rest()
    made = [line for line in program.lines if line.split()[1] == str(program.pid)]
    assert made == [f"made {program.pid}"]


def fds(pid):
    """What the open descriptors of a process are."""
    folder = f"/proc/{pid}/fd"
    return sorted(os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder))


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


COUNTED = """
class Counted(service.Service):
    async def start(self):
        say("fds", len(os.listdir("/proc/self/fd")))

LISTENER = service.listen("127.0.0.1", 0)
sys.exit(service.launch(CONF, Counted(), workers=2).wait())
"""


def test_row_40_descriptors_and_threads_stay_the_same(start):
    program = start(COUNTED, stderr=subprocess.STDOUT)
    program.wait_for("INFO 2 of 2 workers are ready")
    program.signal(signal.SIGHUP)
    program.wait_for("INFO Reload ended")
    counted = len(program.lines)
    before = len(fds(program.pid)), threads(program.pid)
    first = program.lines[-10:]
    for _ in range(RELOADS):
        program.signal(signal.SIGHUP)
        program.wait_for("INFO Reload ended")
    assert (len(fds(program.pid)), threads(program.pid)) == before
    own = {line for line in program.lines[counted:] if line.startswith("fds")}
    assert len(own) == 1
    assert own <= set(first)
    assert before[1] == 1
    assert program.stop() == 0
