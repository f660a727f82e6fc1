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

"""The result, for people and for programs."""

from collections.abc import Iterator
import json
import pathlib
from typing import Any

from bench.faults.roster import Contender
from bench.faults.rows import ROWS
from bench.faults.verdicts import Found
from bench.faults.verdicts import Outcome
from bench.faults.verdicts import Verdict

#: the worst of several runs counts
_ORDER = (Outcome.HELD, Outcome.NOT_APPLICABLE, Outcome.NOT_PLAYED, Outcome.BROKEN)

_LOG_LINES = 30

#: what was found, by the contender's name
Results = dict[str, Found]


def worst(runs: list[tuple[Verdict, str]]) -> Verdict:
    """The verdict that stands for several runs."""
    verdict = max((v for v, _log in runs), key=lambda v: _ORDER.index(v.outcome))
    like_it = [v for v, _log in runs if v.outcome is verdict.outcome]
    if len(runs) == 1 or len(like_it) == len(runs):
        return verdict
    share = f"{verdict.seen} ({len(like_it)} of {len(runs)} runs)"
    return Verdict(verdict.outcome, share)


def text(contenders: list[Contender], results: Results) -> str:
    """The table, and under it what was seen in each row."""
    return "\n".join([*_table(contenders, results), "", *_stories(results)])


def _table(contenders: list[Contender], results: Results) -> Iterator[str]:
    names = [contender.name for contender in contenders]
    widths = [max(6, len(name)) for name in names]
    wide = max(map(len, ROWS.values()))
    yield from (f"{c.name}: {c.version}" for c in contenders if not c.missing)
    yield ""
    yield _line("row", "promise", wide, names, widths)
    yield _line("-" * 9, "-" * wide, wide, ["-" * width for width in widths], widths)
    for row in _rows(results):
        cells = [_cell(contender, results, row) for contender in contenders]
        yield _line(row, ROWS[row], wide, cells, widths)
    totals = [_total(results.get(name, {})) for name in names]
    yield _line("", "held, of those that apply", wide, totals, widths)


def _line(
    row: str, promise: str, wide: int, cells: list[str], widths: list[int]
) -> str:
    filled = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return f"{row:9} {promise:{wide}} {' '.join(filled)}".rstrip()


def _rows(results: Results) -> list[str]:
    return [row for row in ROWS if any(row in found for found in results.values())]


def _cell(contender: Contender, results: Results, row: str) -> str:
    if contender.missing:
        return "-"
    runs = results.get(contender.name, {}).get(row)
    return worst(runs).outcome.value if runs else "?"


def _total(found: Found) -> str:
    outcomes = [worst(runs).outcome for runs in found.values()]
    apply = [o for o in outcomes if o is not Outcome.NOT_APPLICABLE]
    return f"{apply.count(Outcome.HELD)}/{len(apply)}" if apply else "-"


def _stories(results: Results) -> Iterator[str]:
    for row in _rows(results):
        yield f"{row}: {ROWS[row]}"
        for name, found in results.items():
            if row in found:
                verdict = worst(found[row])
                yield f"    {name:14} {verdict.outcome.value:6} {verdict.seen}"


def save(path: pathlib.Path, contenders: list[Contender], results: Results) -> None:
    """Write everything to a JSON file, with the logs of what did not hold."""
    versions = {contender.name: contender.version for contender in contenders}
    rows = {
        name: {row: [_plain(*run) for run in runs] for row, runs in found.items()}
        for name, found in results.items()
    }
    path.write_text(json.dumps({"versions": versions, "results": rows}, indent=1))


def _plain(verdict: Verdict, log: str) -> dict[str, Any]:
    plain: dict[str, Any] = {"outcome": verdict.outcome.value, "seen": verdict.seen}
    if verdict.outcome in (Outcome.BROKEN, Outcome.NOT_PLAYED):
        plain["log"] = log.splitlines()[-_LOG_LINES:]
    return plain
