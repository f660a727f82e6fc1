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

"""Tables of results: for a terminal, and for the documentation."""

from bench import figures
from bench import results

HEAD = ("", "limit", "ours", "ratio", "target", "met", "peers")


def number(value: float) -> str:
    """Three figures, as people write them.

    >>> [number(each) for each in (0, 0.0512, 1.234, 45.67, 1234.5)]
    ['0', '0.051', '1.23', '45.7', '1234']
    """
    if not value:
        return "0"
    if abs(value) < 0.1:
        return f"{value:.2g}"
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:.{digits}f}"


def cells(result: results.Result) -> tuple[str, ...]:
    """One row: medians with the least and the most in brackets."""
    spread = {name: _spread(own) for name, own in result.values.items()}
    ours, limit = spread.pop(result.ours), spread.pop(result.limit)
    ratio = f"{number(result.ratio)} [{number(result.low)}-{number(result.high)}]"
    unit = f", {result.unit}" if result.unit else ""
    named = f"{result.title}{unit}"
    return (
        named,
        f"{result.limit}: {limit}",
        f"{_hub(result.ours)}{ours}",
        ratio,
        result.target,
        {True: "yes", False: "NO", None: ""}[result.met],
        "; ".join(f"{name}: {found}" for name, found in spread.items()),
    )


def _hub(ours: str) -> str:
    return "" if ours in ("ours", "ours asyncio") else f"{ours}: "


def _spread(values: list[float]) -> str:
    found = figures.spread(values)
    if found.count == 1:
        return number(found.median)
    return f"{number(found.median)} [{number(found.low)}-{number(found.high)}]"


def plain(run: results.Run) -> str:
    """For a terminal; the peers on lines of their own."""
    lines = []
    for title, found in run.tables.items():
        lines += ["", title, "=" * len(title)]
        for result in found:
            name, limit, ours, ratio, target, met, peers = cells(result)
            verdict = f"target {target}: {met}" if target else ""
            lines.append(f"{name}")
            lines.append(f"    {ours}  |  {limit}  |  ratio {ratio}  {verdict}")
            lines += [f"    {each}" for each in peers.split("; ") if each]
    lines += [f"not measured: {title}" for title in run.missing]
    return "\n".join(lines)


def rst(run: results.Run) -> str:
    """For the documentation: one list-table per table."""
    lines = []
    for title, found in run.tables.items():
        lines += [title, "-" * len(title), "", ".. list-table::"]
        lines += ["   :header-rows: 1", "   :widths: 24 16 16 12 8 6 18", ""]
        for row in (HEAD, *map(cells, found)):
            first, *others = row
            lines.append(f"   * - {first}".rstrip())
            lines += [f"     - {each}".rstrip() for each in others]
        lines.append("")
    return "\n".join(lines)
