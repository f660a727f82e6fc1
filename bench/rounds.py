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

"""Contenders take turns: each round plays all of them once, in another order.

What disturbs the machine for a while disturbs all of them alike.
"""

from collections.abc import Callable
import importlib
import random
from typing import Any

from bench import rows

#: contender -> measure -> one value per round
Values = dict[str, dict[str, list[float]]]


class NotPlayed(Exception):
    """A contender did not get to the point that is measured."""


def play(job: rows.Job, quick: bool, say: Callable[[str], None]) -> Values:
    """Measure everybody whom one job names.

    :param quick: fewer and shorter rounds, without the peers.
    :param say: told what is going on.
    """
    scenario = importlib.import_module(f"bench.scenarios.{job.scenario}")
    options = {**job.options, **(job.quick if quick else {})}
    values: Values = {name: {} for name in job.contenders(quick)}
    turn = random.Random(job.name)
    count = job.quick_rounds if quick else job.rounds
    for number in range(1, count + 1):
        say(f"{job.name}, round {number} of {count}")
        order = [*values]
        turn.shuffle(order)
        for contender, found in _round(scenario, order, options, say).items():
            for measure, value in found.items():
                values[contender].setdefault(measure, []).append(value)
    return values


def _round(
    scenario: Any, order: list[str], options: dict[str, Any], say: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    if hasattr(scenario, "play_all"):  # side by side, since it takes long
        found: dict[str, dict[str, float]] = scenario.play_all(order, **options)
        return found
    found = {}
    for contender in order:
        try:
            found[contender] = scenario.play(contender, **options)
        except NotPlayed as error:
            say(f"  {contender}: {error}")
    return found
