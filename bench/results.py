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

"""What one run has found, as rows, in memory and in a JSON file."""

from collections.abc import Iterable
import dataclasses
import json
import pathlib
from typing import Any

from bench import figures
from bench import machine
from bench import rounds
from bench import rows


@dataclasses.dataclass(frozen=True)
class Result:
    """One measured row.

    :ivar ratio: the middle of the rounds' ratios, ours to the limit's.
    :ivar low: the least of them; ``high`` the most.
    :ivar met: whether the target is reached; None: there is none.
    :ivar values: contender -> its values, one per round.
    """

    key: str
    title: str
    unit: str
    ours: str
    limit: str
    more: bool
    target: str
    met: bool | None
    ratio: float
    low: float
    high: float
    values: dict[str, list[float]]

    @property
    def quality(self) -> float:
        """The ratio, turned so that more is better."""
        return self.ratio if self.more else 1 / self.ratio


@dataclasses.dataclass
class Run:
    """All that one run has found: table -> rows."""

    quick: bool
    machine: dict[str, str] = dataclasses.field(default_factory=machine.describe)
    tables: dict[str, list[Result]] = dataclasses.field(default_factory=dict)
    missing: list[str] = dataclasses.field(default_factory=list)

    def all(self) -> Iterable[Result]:
        """The rows of all tables."""
        for found in self.tables.values():
            yield from found

    def add(
        self, table: str, row: rows.Row, peers: Iterable[str], values: rounds.Values
    ) -> None:
        """Add a row, or note that it could not be measured."""
        names = dict.fromkeys([row.ours, row.limit, *peers])
        own = {name: values.get(name, {}).get(row.measure) for name in names}
        own = {name: found for name, found in own.items() if found}
        if row.title in self.missing:
            self.missing.remove(row.title)
        if row.ours in own and row.limit in own:
            self._put(table, _result(row, own))
        else:
            self.missing.append(row.title)

    def _put(self, table: str, result: "Result") -> None:
        found = self.tables.setdefault(table, [])
        for number, known in enumerate(found):
            if known.key == result.key:
                found[number] = result
                return
        found.append(result)

    def save(self, path: pathlib.Path) -> None:
        """Write it as JSON."""
        text = json.dumps(dataclasses.asdict(self), indent=1)
        path.write_text(text + "\n")


def load(path: pathlib.Path) -> Run:
    """Read what :meth:`Run.save` has written."""
    found: dict[str, Any] = json.loads(path.read_text())
    tables = {
        name: [Result(**row) for row in each] for name, each in found["tables"].items()
    }
    return Run(found["quick"], found["machine"], tables, found["missing"])


def _result(row: rows.Row, values: dict[str, list[float]]) -> Result:
    ratios = figures.ratios(values[row.ours], values[row.limit], row.floor)
    ratio = figures.spread(ratios)
    median = figures.spread(values[row.ours]).median
    return Result(
        row.key,
        row.title,
        row.unit,
        row.ours,
        row.limit,
        row.more,
        _target(row),
        _met(row, median, ratio.median),
        ratio.median,
        ratio.low,
        ratio.high,
        {name: [float(f"{each:.4g}") for each in own] for name, own in values.items()},
    )


def _target(row: rows.Row) -> str:
    if row.most is not None:
        return f"≤ {row.most:g} {row.unit}".strip()
    if row.target is None:
        return ""
    return f"{'≥' if row.more else '≤'} {row.target:g} x"


def _met(row: rows.Row, value: float, ratio: float) -> bool | None:
    if row.most is not None:
        return value <= row.most
    if row.target is None:
        return None
    return ratio >= row.target if row.more else ratio <= row.target
