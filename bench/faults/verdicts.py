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

"""What came out, and which scenarios there are."""

from collections.abc import Callable
import dataclasses
import enum
from typing import Any

from bench.faults import launched
from bench.faults.roster import Contender


class Outcome(enum.Enum):
    """One cell of the table."""

    HELD = "held"
    BROKEN = "BROKEN"
    NOT_APPLICABLE = "n/a"
    NOT_PLAYED = "error"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The outcome for one row, and what was seen, in a short sentence."""

    outcome: Outcome
    seen: str


def held(seen: str) -> Verdict:
    return Verdict(Outcome.HELD, seen)


def broken(seen: str) -> Verdict:
    return Verdict(Outcome.BROKEN, seen)


def decide(kept: object, seen: str) -> Verdict:
    """Held or broken, with the same sentence."""
    return held(seen) if kept else broken(seen)


class Stage:
    """Starts the programs of one contender for one scenario.

    :param contender: whose.
    """

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        self.log = ""
        self._running: list[launched.Launched] = []

    def start(self, **options: Any) -> launched.Launched:
        """Start the program; see :class:`bench.faults.launched.Launched`."""
        self.clear()
        self._running.append(launched.Launched(self.contender, **options))
        return self._running[-1]

    def clear(self) -> None:
        """End what runs, and keep its log."""
        while self._running:
            run = self._running.pop()
            self.log = run.log
            run.close()


#: for each row the verdicts of all runs, each with the program's log
Found = dict[str, list[tuple[Verdict, str]]]

Play = Callable[[Stage], Verdict | tuple[Verdict, ...]]


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A function that plays one, and the rows of the table that it fills.

    :param patient: it mostly waits, so that it may run beside others.
    """

    rows: tuple[str, ...]
    play: Play
    patient: bool


SCENARIOS: list[Scenario] = []


def plays(*rows: str, patient: bool = False) -> Callable[[Play], Play]:
    """Enter a function into the list of scenarios."""

    def enter(function: Play) -> Play:
        SCENARIOS.append(Scenario(rows, function, patient))
        return function

    return enter


def play(scenario: Scenario, contender: Contender, times: int) -> Found:
    """Play a scenario some times over."""
    found: Found = {row: [] for row in scenario.rows}
    for _ in range(times):
        stage = Stage(contender)
        for row, verdict in zip(scenario.rows, _once(scenario, stage), strict=True):
            if row in contender.lacks:
                verdict = Verdict(Outcome.NOT_APPLICABLE, contender.lacks[row])
            found[row].append((verdict, stage.log))
    return found


def _once(scenario: Scenario, stage: Stage) -> tuple[Verdict, ...]:
    if all(row in stage.contender.lacks for row in scenario.rows):
        return tuple(held("") for _ in scenario.rows)
    try:
        verdicts = scenario.play(stage)
    except Exception as error:
        # one scenario that comes to nothing is no reason to end the others
        reason = str(error) if isinstance(error, launched.NotPlayed) else repr(error)
        verdicts = tuple(Verdict(Outcome.NOT_PLAYED, reason) for _ in scenario.rows)
    finally:
        stage.clear()
    return verdicts if isinstance(verdicts, tuple) else (verdicts,)
