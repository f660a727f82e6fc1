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

"""Play every scenario against every launcher, and print who kept what."""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
import concurrent.futures
import os
import pathlib
import signal
import sys
import tempfile
import time
import traceback

from bench.faults import kernel
from bench.faults import scenarios  # noqa: F401  each enters itself into the list
from bench.faults import spawn
from bench.faults import table
from bench.faults import verdicts
from bench.faults.roster import Contender
from bench.faults.roster import ROSTER
from bench.faults.rows import ROWS

#: so many scenarios that mostly wait run at the same time as one that does not
_PATIENT_LANES = 2


def main() -> None:
    options = _options()
    chosen = [c for c in ROSTER if not options.only or c.name in options.only]
    _prepare()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        tempfile.tempdir = folder
        try:
            results = _play_all(chosen, options)
        finally:
            # whatever happened: nothing that was started stays
            spawn.end_everything()
    print(table.text(chosen, results))
    if options.json:
        table.save(options.json, chosen, results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    names = [contender.name for contender in ROSTER]
    parser.add_argument("--only", type=_words(names), help=", ".join(names))
    rows = {row.split()[0] for row in ROWS} | set(ROWS)
    parser.add_argument("--rows", type=_words(rows), help="rows, such as 4,24")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each scenario")
    parser.add_argument("--json", type=pathlib.Path, help="a file for everything")
    return parser.parse_args()


def _words(known: Iterable[str]) -> Callable[[str], list[str]]:
    def split(text: str) -> list[str]:
        words = [word.strip() for word in text.split(",")]
        if unknown := set(words) - set(known):
            raise argparse.ArgumentTypeError(f"not known: {', '.join(unknown)}")
        return words

    return split


def _prepare() -> None:
    kernel.adopt_orphans()
    # nohup, or a shell's background job, would pass ignored signals on
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _play_all(
    contenders: list[Contender], options: argparse.Namespace
) -> table.Results:
    played = [s for s in verdicts.SCENARIOS if _wanted(s, options.rows)]
    results: table.Results = {}
    for contender in contenders:
        if contender.missing:
            _say(f"{contender.name}: not installed: {', '.join(contender.missing)}")
        else:
            results[contender.name] = _play(contender, played, options.repeat)
    return results


def _wanted(scenario: verdicts.Scenario, rows: list[str] | None) -> bool:
    """Whether one of its rows was asked for; 19 means "19 loop", too."""
    return not rows or any(
        row in rows or row.split()[0] in rows for row in scenario.rows
    )


def _play(
    contender: Contender, played: list[verdicts.Scenario], times: int
) -> verdicts.Found:
    """One scenario after the other; those that mostly wait run beside them."""
    found: verdicts.Found = {}

    def run(scenario: verdicts.Scenario) -> None:
        start = time.monotonic()
        rows = verdicts.play(scenario, contender, times)
        found.update(rows)
        _progress(contender, rows, time.monotonic() - start)

    pool = concurrent.futures.ThreadPoolExecutor
    one, beside = pool(1), pool(_PATIENT_LANES)
    lanes = [(beside if s.patient else one).submit(run, s) for s in played]
    try:
        for future in lanes:
            future.result()
    finally:
        one.shutdown(wait=False, cancel_futures=True)
        beside.shutdown(wait=False, cancel_futures=True)
    return {row: found[row] for row in ROWS if row in found}


def _progress(contender: Contender, rows: verdicts.Found, seconds: float) -> None:
    for row, runs in rows.items():
        verdict = table.worst(runs)
        outcome = verdict.outcome.value
        _say(f"{contender.name} {row}: {outcome}, {verdict.seen} [{seconds:.1f} s]")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
        status = 0
    except SystemExit as leaving:
        status = int(leaving.code or 0)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    # the threads of an interrupted run are in the middle of something
    os._exit(status)
