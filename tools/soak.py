# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Run the hub and functional tests over and over on a machine that is busy.

A race that an idle machine never loses shows up when the tests have to share
the cores with processes that do nothing but spin.
"""

import argparse
from collections.abc import Iterator
import contextlib
from dataclasses import dataclass
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

HUBS = ("asyncio", "uvloop", "eventlet")
TAIL_LINES = 50

# It watches its parent, so that not even SIGKILL to the soak leaves one behind.
SPIN = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    sum(range(100_000))
"""


def test_sets(rows: bool) -> dict[str, list[str]]:
    chosen = ["-k", "test_row_"] if rows else []
    sets = {
        hub: ["-m", "oslo_asyncio.tests", "--hub", hub, "oslo_asyncio/tests/hub"]
        for hub in HUBS
    }
    # more at a time than there are cores: they wait more than they compute
    functional = ["-m", "pytest", "-n", "4", "oslo_asyncio/tests/functional"]
    sets["functional"] = functional
    return {name: arguments + chosen for name, arguments in sets.items()}


@dataclass(frozen=True)
class Outcome:
    """What one run of one test set came to."""

    status: int
    seconds: float
    output: str

    @property
    def ok(self) -> bool:
        return self.status == 0

    def count(self, *words: str) -> int:
        """Sum the numbers that the runner's last line gives for the words."""
        summaries = re.findall(r"^.* in \d+\.\d+s.*$", self.output, re.MULTILINE)
        last = summaries[-1] if summaries else ""
        return sum(int(n) for n in re.findall(rf"(\d+) (?:{'|'.join(words)})", last))

    def line(self) -> str:
        passed, failed = self.count("passed"), self.count("failed", "errors?")
        verdict = "ok" if self.ok else f"FAILED (exit status {self.status})"
        return f"{self.seconds:7.1f} s  {passed} passed, {failed} failed  {verdict}"


@contextlib.contextmanager
def busy_machine(count: int) -> Iterator[None]:
    command = [sys.executable, "-c", SPIN, str(os.getpid())]
    children: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            children.append(subprocess.Popen(command, start_new_session=True))
        yield
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()


def run(arguments: list[str]) -> Outcome:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Outcome(done.returncode, time.monotonic() - began, done.stdout)


def report(title: str, outcome: Outcome, log: pathlib.Path) -> None:
    print(f"{title:<24}{outcome.line()}", flush=True)
    if not outcome.ok:
        with log.open("a") as file:
            file.write(f"==== {title}\n{outcome.output}\n")
        print(*outcome.output.splitlines()[-TAIL_LINES:], sep="\n", flush=True)


def soak(runs: int, rows: bool, log: pathlib.Path) -> int:
    failures = 0
    for number in range(1, runs + 1):
        for name, arguments in test_sets(rows).items():
            outcome = run(arguments)
            report(f"{number}/{runs} {name}", outcome, log)
            failures += not outcome.ok
    return failures


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "runs", nargs="?", type=int, default=10, help="how often (default: %(default)s)"
    )
    parser.add_argument(
        "--rows",
        action="store_true",
        help="only the tests that are named after a fault",
    )
    parser.add_argument(
        "--busy",
        type=int,
        default=os.cpu_count() or 1,
        help="processes that spin meanwhile (default: one per core)",
    )
    parser.add_argument(
        "--log",
        type=pathlib.Path,
        default=pathlib.Path("soak-failures.log"),
        help="where the output of failed runs is kept (default: %(default)s)",
    )
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    arguments.log.unlink(missing_ok=True)
    # SIGTERM has to unwind as ctrl-C does, or the spinning goes on for a while.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with busy_machine(arguments.busy):
        failures = soak(arguments.runs, arguments.rows, arguments.log)
    if failures:
        print(f"{failures} failed; their output is in {arguments.log}")
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
