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


"""Many looping calls at once: how late they are, and what they cost.

Each contender runs in a process of its own, one after the other, or in turn
with ``--rounds``.  A call is late by the time between the moment at which a
schedule without drift has it and the moment at which the function runs.
"""

import argparse
import importlib.util
import os
import pathlib
import subprocess
import sys

OURS = [
    f"{hub} {kind}"
    for hub in ("asyncio", "uvloop", "eventlet")
    for kind in ("sync", "async")
]
PEERS = ["oslo.service eventlet", "oslo.service threading"]
HEAD = (
    "contender",
    "calls",
    "missed",
    "p50 ms",
    "p99 ms",
    "max ms",
    "CPU s",
    "threads",
)


def main() -> None:
    options = _options()
    known = OURS + (PEERS if importlib.util.find_spec("oslo_service") else [])
    chosen = options.only.split(",") if options.only else known
    size = f"{options.calls} calls at 1 s, each for {options.seconds:g} s"
    print(f"{size}; first calls {'at one moment' if options.burst else 'spread'}")
    print(_row(HEAD), flush=True)
    for _round in range(options.rounds):
        for contender in chosen:
            print(_row((contender, *_run(contender, options))), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.loopingcalls", description=__doc__
    )
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--burst", action="store_true", help="all due at one moment")
    parser.add_argument("--only", help=f"some of: {', '.join(OURS + PEERS)}")
    return parser.parse_args()


def _run(contender: str, options: argparse.Namespace) -> list[str]:
    program = pathlib.Path(__file__).with_name("contender.py")
    numbers = [str(options.calls), str(options.seconds), str(int(options.burst))]
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", program, *numbers, *contender.split()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parents[2],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        timeout=options.seconds * 10 + 120,
    )
    if ran.returncode:
        lines = ran.stderr.strip().splitlines() or ["no word"]
        return [f"failed: {lines[-1][:70]}"]
    return ran.stdout.split()


def _row(cells: tuple[str, ...]) -> str:
    first, *rest = cells
    return f"{first:<24}" + "".join(f"{cell:>9}" for cell in rest)


if __name__ == "__main__":
    main()
