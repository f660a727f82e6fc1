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

"""The table of services tried, from what the tests have seen."""

from collections.abc import Iterable
import csv
import dataclasses
import importlib.metadata
import pathlib
import platform
import re

#: What of a service a test can see, in the order of the columns.
COLUMNS = ("Ready", "Answers", "HUP", "kill -9", "TERM")

_HEADER = ("Service", "Hub", "Python", *COLUMNS)


@dataclasses.dataclass(frozen=True, order=True)
class Sight:
    """One thing that one test has seen.

    :ivar service: the program, and the distribution that it is from.
    :ivar hub: the hub's name.
    :ivar column: one of :data:`COLUMNS`.
    :ivar text: what was seen.
    """

    service: str
    hub: str
    column: str
    text: str


def service_name(program: str, distribution: str) -> str:
    """How the table names a program."""
    return f"{program} {importlib.metadata.version(distribution)}"


def table(sights: Iterable[Sight]) -> list[list[str]]:
    """A row for each service and hub, the header first."""
    cells: dict[tuple[str, str], dict[str, list[str]]] = {}
    for each in sorted(set(sights)):
        row = cells.setdefault((each.service, each.hub), {})
        row.setdefault(each.column, []).append(each.text)
    python = ".".join(platform.python_version_tuple()[:2])
    rows = [
        [service, hub, python, *("; ".join(row.get(name, [])) for name in COLUMNS)]
        for (service, hub), row in cells.items()
    ]
    return [list(_HEADER), *rows]


def write(rows: list[list[str]], path: pathlib.Path) -> None:
    """Write the file that the documentation shows."""
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def read(path: pathlib.Path) -> list[list[str]]:
    """Read it; without the file there are no rows."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.reader(file))


def differences(
    written: list[list[str]], seen: list[list[str]], whole: bool
) -> list[str]:
    """How the file differs from what was seen now, but for the figures.

    :param whole: whether all tests ran; if not, the file may have more.
    """
    in_file, now = _facts(written), _facts(seen)
    found = [f"not in the table: {fact}" for fact in sorted(now - in_file)]
    if whole:
        found += [f"only in the table: {fact}" for fact in sorted(in_file - now)]
    return found


def _facts(rows: list[list[str]]) -> set[str]:
    """Each thing that the rows say, as a sentence without its figures."""
    return {
        re.sub(r"\d+(\.\d+)*", "N", f"{row[0]} on {row[1]}, {name}: {text}")
        for row in rows[1:]
        for name, cell in zip(COLUMNS, row[3:], strict=True)
        for text in cell.split("; ")
        if text
    }
