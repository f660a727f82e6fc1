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

"""Speed, memory and idle cost, beside the limits and the peers.

Everybody is measured in the same run, in turns, each in processes of its own;
what counts is the ratio.
"""

import argparse
from collections.abc import Iterable
import pathlib
import sys
import time

from bench import compare
from bench import page
from bench import plot
from bench import processes
from bench import results
from bench import rounds
from bench import rows
from bench import tables
from bench import worker
from bench.faults import kernel

#: title -> the scenarios whose rows make the table
TABLES = {"Processes": processes.JOBS, "Inside a worker": worker.JOBS}

JOBS = (*processes.JOBS, *worker.JOBS)

REFERENCE = pathlib.Path(__file__).with_name("reference.json")


def main() -> int:
    options = _options()
    kernel.adopt_orphans()
    clock = Clock()
    run = _measure(options, clock)
    reference = _reference(options)
    if reference is not None:
        _measure_fallen(reference, run, options, clock)
    print(tables.plain(run))
    if options.plot:
        plot.write(run, options.plot)
    if options.rst:
        options.rst.write_text(page.text(run))
    clock.say("done")
    failed = compare.report(reference, run) if reference is not None else 0
    return 1 if failed or run.missing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    path = {"type": pathlib.Path, "metavar": "FILE"}
    parser.add_argument(
        "--quick", action="store_true", help="short, without peers, and compared"
    )
    parser.add_argument("--only", help="scenarios, separated by commas")
    parser.add_argument(
        "--load",
        help="show what --json has written; with --only, measure some rows anew",
        **path,
    )
    parser.add_argument("--json", help="write what was found", **path)
    parser.add_argument("--rst", help="write the page of the documentation", **path)
    parser.add_argument("--plot", type=pathlib.Path, metavar="DIR", help="write SVGs")
    parser.add_argument(
        "--reference", default=REFERENCE, help="what --quick is compared with", **path
    )
    return parser.parse_args()


def _measure(options: argparse.Namespace, clock: "Clock") -> results.Run:
    only = options.only.split(",") if options.only else []
    if options.load:
        run = results.load(options.load)
        chosen = [job for job in JOBS if {job.name, job.scenario} & {*only}]
    else:
        run = results.Run(options.quick)
        chosen = [
            job for job in JOBS if not only or {job.name, job.scenario} & {*only}
        ]
    _play(chosen, run, options, clock)
    return run


def _play(
    jobs: Iterable[rows.Job],
    run: results.Run,
    options: argparse.Namespace,
    clock: "Clock",
) -> None:
    for job in jobs:
        [table] = [title for title, each in TABLES.items() if job in each]
        values = rounds.play(job, options.quick, clock.say)
        for row in job.rows:
            run.add(table, row, job.peers, values)
        if options.json:
            run.save(options.json)  # as far as it has come


def _reference(options: argparse.Namespace) -> results.Run | None:
    if not options.quick or options.only or not options.reference.exists():
        return None
    return results.load(options.reference)


def _measure_fallen(
    reference: results.Run,
    run: results.Run,
    options: argparse.Namespace,
    clock: "Clock",
) -> None:
    """Again, and again: a neighbour of this machine may have been busy."""
    for _ in range(2):
        fallen = {*compare.fallen(reference, run)}
        if not fallen:
            return
        clock.say("what has fallen is measured once more")
        jobs = [job for job in JOBS if fallen & {row.key for row in job.rows}]
        _play(jobs, run, options, clock)


class Clock:
    """Tells what is going on, and since how many seconds."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        passed = time.monotonic() - self._began
        print(f"{passed:6.1f} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
