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

"""Run oslo.service's own tests on this library.

The files of its installed package are run as they are: what they import as
``oslo_service`` is ``oslo_asyncio``.  Each file has a process of its own.
Tests that cannot apply here are listed in ``oslo_service_tests.csv`` with the
reason; one that is listed and passes is an error, too.
"""

import sys

from oslo_asyncio import hub

if sys.argv[1:2] == ["--one"]:  # eventlet patches before anything is imported
    hub.setup(argv=[])

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent import futures
import contextlib
import csv
import ctypes
from dataclasses import dataclass
from dataclasses import field
import importlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
from typing import Any
import unittest
import warnings

import oslo_service_alias

LISTED = pathlib.Path(__file__).with_suffix(".csv")
FILES = (
    "test_fixture",
    "test_loopingcall",
    "test_opts",
    "test_periodic",
    "test_service",
    "test_sslutils",
    "test_systemd",
    "test_threadgroup",
    "test_wsgi",
)
#: They expect green threads: one that begins when its maker waits, and can be ended.
GREEN = ("test_service", "test_threadgroup")
#: Seconds for one test, for one that is expected to fail, and for one file.
TEST_LIMIT = 20
LISTED_LIMIT = 8
FILE_LIMIT = 180
PR_SET_CHILD_SUBREAPER = 36


# -- one file, in a process of its own ---------------------------------------


class Outcomes(unittest.TestResult):
    """What became of each test: its name, and what went wrong."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.passed: list[str] = []
        self.failed: dict[str, str] = {}
        self.skipped_here: dict[str, str] = {}
        self._prefix = f"{oslo_service_alias.THEIRS}.tests.{file}."

    def name(self, test: unittest.TestCase) -> str:
        return test.id().removeprefix(self._prefix)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.passed.append(self.name(test))

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        self.failed[self.name(test)] = self._exc_info_to_string(err, test)

    addFailure = addError

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self.skipped_here[self.name(test)] = reason


def run_one(file: str, report: str) -> None:
    """Run the tests of a file here, and write what became of them."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)  # what tests leave is ours
    # a shell that runs us in the background has had it ignored, and ignored it stays
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.meta_path.insert(0, oslo_service_alias.Alias(oslo_service_alias.installed()))
    for name in (
        oslo_service_alias.STAND_INS
    ):  # "from package import name" asks the package for it
        importlib.import_module(f"{oslo_service_alias.THEIRS}.{name}")
    importlib.import_module("webob.dec")  # which its wsgi has imported for test_wsgi
    warnings.simplefilter("ignore")
    outcomes = Outcomes(file)
    loader = unittest.TestLoader()
    found = [
        *each_test(
            loader.loadTestsFromName(f"{oslo_service_alias.THEIRS}.tests.{file}")
        )
    ]
    expected_to_fail = listed().get(file, {})
    # those last: what they replace may be what the others stand on
    for test in sorted(found, key=lambda test: outcomes.name(test) in expected_to_fail):
        if outcomes.name(test) in expected_to_fail:
            os.environ["OS_TEST_TIMEOUT"] = str(LISTED_LIMIT)
        test(outcomes)
    with open(report, "w") as written:
        json.dump((outcomes.passed, outcomes.failed, outcomes.skipped_here), written)
    sys.stdout.flush()
    kill(below(os.getpid()))
    os._exit(0)  # whatever a test has left running in here


def each_test(suite: Iterable[Any]) -> Iterator[unittest.TestCase]:
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from each_test(each)
        else:
            yield each


# -- all of them -------------------------------------------------------------


@dataclass
class File:
    """What became of the tests of one file."""

    name: str
    listed: dict[str, str]
    passed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def unlisted(self) -> dict[str, str]:
        return {k: v for k, v in self.failed.items() if k not in self.listed}

    @property
    def stale(self) -> dict[str, str]:
        there = {*self.failed, *self.skipped}
        return {
            name: "is listed, and passes"
            if name in self.passed
            else "is listed, and there is no such test"
            for name in self.listed
            if name not in there
        }

    @property
    def not_applicable(self) -> int:
        return len({*self.failed, *self.skipped} - {*self.unlisted})

    @property
    def wrong(self) -> dict[str, str]:
        return {**self.unlisted, **self.stale}

    def line(self) -> str:
        return (
            f"{self.name:<18}{len(self.passed):4} passed, {len(self.wrong):2} failed,"
            f" {self.not_applicable:2} not applicable {self.seconds:6.1f} s"
        )


def listed() -> dict[str, dict[str, str]]:
    """The reasons why tests cannot apply, by file and test."""
    found: dict[str, dict[str, str]] = {file: {} for file in FILES}
    with LISTED.open(newline="") as rows:
        for row in csv.DictReader(rows):
            if not row["Reason"] or row["Test"] in found[row["File"]]:
                sys.exit(f"{LISTED}: no reason, or listed twice: {row}")
            found[row["File"]][row["Test"]] = row["Reason"]
    return found


def run_file(name: str, hub_name: str, listed: dict[str, str]) -> File:
    file = File(name, listed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report")
        output = pathlib.Path(folder, "output")
        with output.open("w") as writing:
            child = subprocess.Popen(
                [sys.executable, __file__, "--one", name, str(report)],
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=subprocess.STDOUT,
                env={
                    **os.environ,
                    hub.ENVIRONMENT: hub_name,
                    # or the tests' own package patches
                    "OSLO_SERVICE_SKIP_EVENTLET": "yes",
                    "OS_TEST_TIMEOUT": str(TEST_LIMIT),
                },
            )
            try:
                child.wait(FILE_LIMIT)
            except subprocess.TimeoutExpired:
                file.failed["(all)"] = f"not done after {FILE_LIMIT} seconds"
            finally:
                end(child)
        if report.exists():
            file.passed, failed, file.skipped = json.loads(report.read_text())
            file.failed.update(failed)
        else:
            told = output.read_text(errors="replace")[-4000:]
            file.failed.setdefault("(all)", f"status {child.returncode}: {told}")
    file.seconds = time.monotonic() - began
    return file


def end(child: subprocess.Popen[bytes]) -> None:
    """Nothing is left of a file, not even what a test has forked."""
    if child.poll() is None:
        kill([child.pid, *below(child.pid)])
        child.wait()


def kill(pids: Iterable[int]) -> None:
    for pid in list(pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def below(pid: int) -> Iterator[int]:
    for tasks in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for each in map(int, tasks.read_text().split()):
            yield each
            yield from below(each)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help=f"of {', '.join(FILES)}"
    )
    parser.add_argument("--hub", default="eventlet", help="default: %(default)s")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    oslo_service_alias.installed()
    reasons = listed()
    files = arguments.files or FILES
    if arguments.hub != "eventlet" and not arguments.files:
        files = [file for file in FILES if file not in GREEN]
    # they sleep more than they compute
    with futures.ThreadPoolExecutor(max_workers=4) as pool:
        done = [
            pool.submit(run_file, file, arguments.hub, reasons[file]) for file in files
        ]
        wrong = 0
        for each in done:
            file = each.result()
            print(file.line(), flush=True)
            for name, text in file.wrong.items():
                print(f"\n{file.name}: {name}\n{text}\n", flush=True)
            wrong += len(file.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run_one(*sys.argv[2:])
    sys.exit(main())
