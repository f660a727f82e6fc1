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

"""Medians, spreads and ratios of values that were measured in turns."""

from collections.abc import Sequence
import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Spread:
    """Some values of one measure.

    :ivar median: the one in the middle.
    :ivar low: the least.
    :ivar high: the most.
    :ivar count: how many there are.
    """

    median: float
    low: float
    high: float
    count: int


def spread(values: Sequence[float]) -> Spread:
    """Median, least and most of ``values``, of which there is at least one.

    >>> spread([3.0, 1.0, 2.0])
    Spread(median=2.0, low=1.0, high=3.0, count=3)
    """
    middle = statistics.median(values)
    return Spread(middle, min(values), max(values), len(values))


def percentile(values: Sequence[float], part: float) -> float:
    """The value that ``part`` of all are not above.

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered), round(part * len(ordered))) - 1)]


def ratios(
    ours: Sequence[float], limit: Sequence[float], floor: float = 0.0
) -> list[float]:
    """How many times the limit each round's value is.

    A machine that is slow in one round is slow for both of that round.

    :param floor: what is less counts as this: 1 ms is not infinitely more than
        none at all.

    >>> ratios([3.0, 8.0], [2.0, 4.0])
    [1.5, 2.0]
    """
    least = floor or 1e-12
    pairs = zip(ours, limit, strict=False)
    return [max(mine, least) / max(other, least) for mine, other in pairs]
