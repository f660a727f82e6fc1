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


"""The tables of the migration page."""

import pathlib
import re

from oslo_asyncio.tests.contract import differences

ROOT = pathlib.Path(__file__).parents[3]
PAGE = ROOT / "doc/source/user/howto/migrate.rst"

_TABLE = re.compile(
    r"^\.\. list-table:: Differences\n(?: {3}:.*\n)*\n((?:(?: {3}.*)?\n)+)",
    re.MULTILINE,
)
_ROW = re.compile(r"^ {3}\* - ((?:.*\n)(?: {5}.*\n|\n)*)", re.MULTILINE)
_CELL = re.compile(r"\n {5}- ")


def rows(text: str) -> list[list[str]]:
    """The cells of the table of differences, without its head.

    :raises ValueError: there is no such table.
    """
    table = _TABLE.search(text)
    if table is None:
        raise ValueError(f"{PAGE} has no list-table called Differences")
    found = [
        [" ".join(cell.split()) for cell in _CELL.split(row)]
        for row in _ROW.findall(table[1])
    ]
    return found[1:]


def listed(text: str) -> dict[differences.Difference, str]:
    """Each difference in the table, and its reason.

    A row may name several names that differ in the same way and for the same
    reason.

    :raises ValueError: a row is malformed, has no reason, or repeats another.
    """
    found: dict[differences.Difference, str] = {}
    for row in rows(text):
        if len(row) != 4 or not all(row):
            raise ValueError(f"{PAGE}: a row needs four cells: {row}")
        module, names, what, reason = row
        for name in names.split(", "):
            cells = (each.strip("`") for each in (module, name, what))
            difference = differences.Difference(*cells)
            if difference in found:
                raise ValueError(f"{PAGE}: twice: {difference}")
            found[difference] = reason
    return found
