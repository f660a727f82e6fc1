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

"""What a row of the tables is, and what is played to fill it."""

from collections.abc import Mapping
import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of a table.

    :ivar key: its name in JSON files.
    :ivar title: its name in tables.
    :ivar measure: which of the values that the scenario returns.
    :ivar limit: the contender that ours is compared with.
    :ivar target: how many times the limit's value ours may be at most, or with
        ``more`` must be at least; None: there is no such target.
    :ivar most: what ours may be at most, whatever the limit's is.
    :ivar more: whether more is better.
    :ivar floor: what is less counts as this in ratios.
    """

    key: str
    title: str
    unit: str
    measure: str
    limit: str
    target: float | None = None
    most: float | None = None
    ours: str = "ours asyncio"
    more: bool = False
    floor: float = 0.0


@dataclasses.dataclass(frozen=True)
class Job:
    """One scenario, played in rounds, and the rows that come of it.

    :ivar options: for the scenario's ``play()``.
    :ivar quick: what is different with ``--quick``.
    :ivar peers: who is measured as well, unless it has to be quick.
    """

    name: str
    scenario: str
    rows: tuple[Row, ...]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    quick: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    peers: tuple[str, ...] = ()
    rounds: int = 5
    quick_rounds: int = 3

    def contenders(self, quick: bool) -> list[str]:
        """Everybody who is measured, each once."""
        names = [name for row in self.rows for name in (row.limit, row.ours)]
        return [*dict.fromkeys(names + ([] if quick else [*self.peers]))]
