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

Each contender is a process of its own that serves and calls over ``fake://``, so
that no broker is measured: the callers are threads of oslo.messaging's own
client.  The time runs from the moment at which all callers are let go to the last
answer.  Threads of the server are those that are there while calls run, without
the callers'.
"""

import argparse
import os
import pathlib
import subprocess
import sys

CONTENDERS = ("stock", "asyncio", "uvloop", "eventlet")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.messaging", description=__doc__
    )
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(CONTENDERS))
    options = parser.parse_args()
    print(f"{options.calls} calls, each waits for {options.seconds:g} s")
    print(f"{'contender':<12}{'seconds':>9}{'CPU s':>9}{'threads':>9}  their names")
    for _round in range(options.rounds):
        for contender in options.only.split(","):
            print(_row(contender, _run(contender, options)), flush=True)


def _row(contender: str, cells: list[str]) -> str:
    *numbers, names = cells
    return f"{contender:<12}" + "".join(f"{n:>9}" for n in numbers) + f"  {names}"


def _run(contender: str, options: argparse.Namespace) -> list[str]:
    program = pathlib.Path(__file__).with_name("contender.py")
    command = [sys.executable, "-W", "ignore", str(program), contender]
    environment = dict(os.environ)
    if contender != "stock":
        environment["OSLO_ASYNCIO_HUB"] = contender
    ran = subprocess.run(
        [*command, str(options.calls), str(options.seconds)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    if ran.returncode:
        lines = ran.stderr.strip().splitlines() or ["no word"]
        return [f"failed: {lines[-1][:70]}"]
    return ran.stdout.strip().split(None, 3)


if __name__ == "__main__":
    main()
