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

"""A thousand RPC calls at once whose endpoint waits for 0.2 s.

Three tables, the contenders of each by turns, round after round:

fake
    the server is called by threads of its own process over ``fake://``: no broker
    and no network is measured.  The callers are those of the stock client.
rabbit
    the server is called by an AsyncRPCClient in a second process over RabbitMQ.
client
    a stock server with 64 threads is called over RabbitMQ, by an AsyncRPCClient and
    by threads with the stock client.

"stock" is oslo.messaging's own server with its default of 64 threads; the others
are ours on each hub.  RabbitMQ is the one in OSLO_ASYNCIO_TRANSPORT_URL.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import uuid

from bench.messaging import table

SERVERS = ("stock", "asyncio", "uvloop", "eventlet")
CLIENTS = ("async", "64", "1000")
LIMIT = 180


def main() -> None:
    options = _options()
    found = {}
    for measure in options.measures.split(","):
        run, contenders = MEASURES[measure]
        chosen = [c for c in contenders if c in (options.only or contenders)]
        print(f"\n{measure}: {options.calls} calls, each waits {options.seconds:g} s")
        rows = {contender: [] for contender in chosen}
        for number in range(options.rounds):
            for contender in chosen:
                row = run(contender, options)
                rows[contender].append(row)
                print(f"  round {number + 1}  {table.line(contender, row)}", flush=True)
        print(table.summary(rows, contenders[0]), flush=True)
        found[measure] = rows
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(found, indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.messaging",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measures", default="fake,rabbit,client")
    parser.add_argument("--only", type=lambda names: names.split(","))
    parser.add_argument("--json", help="write what each round has found to this file")
    return parser.parse_args()


def over_fake(contender: str, options: argparse.Namespace) -> dict:
    calls, seconds = str(options.calls), str(options.seconds)
    return json.loads(_run("contender", contender, calls, seconds, hub=contender))


def over_rabbit(contender: str, options: argparse.Namespace) -> dict:
    return _serve_and_call(contender, "async", options)


def from_client(contender: str, options: argparse.Namespace) -> dict:
    return _serve_and_call("stock", contender, options)


MEASURES = {
    "fake": (over_fake, SERVERS),
    "rabbit": (over_rabbit, SERVERS),
    "client": (from_client, CLIENTS),
}


def _serve_and_call(server: str, client: str, options: argparse.Namespace) -> dict:
    url = os.environ["OSLO_ASYNCIO_TRANSPORT_URL"]
    topic, calls = f"bench-{uuid.uuid4().int}", str(options.calls)
    command = _command("server", server, url, topic, calls, str(options.seconds))
    serving = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(server),
    )
    try:
        assert serving.stdout.readline() == "ready\n"
        found = json.loads(_run("caller", client, url, topic, calls))
        serving.send_signal(signal.SIGTERM)
        cost, _none = serving.communicate(timeout=LIMIT)
    finally:
        serving.kill()
        serving.wait()
    return {**found, **json.loads(cost)}


def _run(program: str, *arguments: str, hub: str = "asyncio") -> str:
    return subprocess.run(
        _command(program, *arguments),
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(hub),
        timeout=LIMIT,
    ).stdout


def _command(program: str, *arguments: str) -> list[str]:
    module = f"bench.messaging.{program}"
    return [sys.executable, "-W", "ignore", "-m", module, *arguments]


def _environment(hub: str) -> dict[str, str]:
    return os.environ if hub == "stock" else {**os.environ, "OSLO_ASYNCIO_HUB": hub}


if __name__ == "__main__":
    main()
