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

"""The regression job: ``python -m bench.compare OLD.json NEW.json``.

What is compared are ratios to the limit of the same run, for two machines are
never equally fast.  Status 1 and a sentence for each row that has fallen by more
than half.
"""

from collections.abc import Iterator
import pathlib
import sys

from bench import results
from bench import tables

#: what a ratio may keep, at least, of what it was
LEAST = 0.5


def fallen(old: results.Run, new: results.Run) -> dict[str, str]:
    """By its key, a sentence for each row that has become so much worse."""
    return dict(_fallen(old, new))


def _fallen(old: results.Run, new: results.Run) -> Iterator[tuple[str, str]]:
    now = {result.key: result for result in new.all()}
    for before in old.all():
        after = now.get(before.key)
        if after is None:
            gone = "it was measured before, and is not any more"
            yield before.key, f"{before.title}: {gone}"
        elif after.quality < LEAST * before.quality and not _fine(after):
            yield before.key, _sentence(before, after)


def _fine(row: results.Result) -> bool:
    """Whether it keeps a target that is no ratio; beside it a ratio says little."""
    return row.met is True and not row.target.endswith(" x")


def _sentence(before: results.Result, after: results.Result) -> str:
    change = tables.number(before.quality / after.quality)
    was, now = tables.number(before.ratio), tables.number(after.ratio)
    return (
        f"{after.title}: {now} times {after.limit}, and it was {was} times: "
        f"{change} times worse, {1 / LEAST:g} times is the most"
    )


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: python -m bench.compare OLD.json NEW.json", file=sys.stderr)
        return 2
    old, new = (results.load(pathlib.Path(name)) for name in arguments)
    return report(old, new)


def report(old: results.Run, new: results.Run) -> int:
    """Print what has fallen; the exit status."""
    sentences = fallen(old, new).values()
    for sentence in sentences:
        print(f"FALLEN: {sentence}")
    if not sentences:
        print(f"none of {len([*old.all()])} ratios has fallen by more than half")
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
