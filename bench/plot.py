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

"""One bar chart per table, as SVG: how far each row is from its limit."""

import html
import math
import pathlib

from bench import results
from bench import tables

_WIDTH, _LEFT, _BAR, _GAP = 900, 430, 14, 8

#: ratios beyond 1/16 and 16 end there
_FURTHEST = 4.0


def write(run: results.Run, folder: pathlib.Path) -> list[pathlib.Path]:
    """Write one file per table; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for title, found in run.tables.items():
        path = folder / f"{title.lower().replace(' ', '-')}.svg"
        path.write_text(chart(title, found))
        written.append(path)
    return written


def chart(title: str, found: list[results.Result]) -> str:
    """Bars to the right of the line are better than the limit, to the left worse."""
    height = 66 + len(found) * (_BAR + _GAP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        _text(10, 20, f"{title}: how many times as good as the limit", "start"),
    ]
    lines += _grid(height)
    for number, result in enumerate(found):
        lines += _bar(46 + number * (_BAR + _GAP), result)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _x(quality: float) -> float:
    steps = max(-_FURTHEST, min(_FURTHEST, math.log2(quality)))
    middle = (_LEFT + _WIDTH - 60) / 2
    return middle + steps * (_WIDTH - 60 - middle) / _FURTHEST


def _grid(height: int) -> list[str]:
    lines = []
    for step in range(-4, 5):
        x = _x(2.0**step)
        colour = "black" if step == 0 else "#dddddd"
        lines.append(
            f'<line x1="{x:.0f}" x2="{x:.0f}" y1="38" y2="{height - 10}" '
            f'stroke="{colour}"/>'
        )
        lines.append(_text(round(x), 34, f"{2.0**step:g}", "middle"))
    return lines


def _bar(y: int, result: results.Result) -> list[str]:
    one, end = _x(1), _x(result.quality)
    left, width = min(one, end), max(1.0, abs(end - one))
    colour = {True: "#3a7d44", False: "#b3392f", None: "#777777"}[result.met]
    ratio = f"{tables.number(result.ratio)} x"
    return [
        _text(_LEFT - 10, y + _BAR - 3, result.title, "end"),
        f'<rect x="{left:.0f}" y="{y}" width="{width:.0f}" height="{_BAR}" '
        f'fill="{colour}"/>',
        _text(_WIDTH - 10, y + _BAR - 3, ratio, "end"),
    ]


def _text(x: int, y: int, words: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{html.escape(words)}</text>'
