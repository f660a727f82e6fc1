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

"""The supervisor: the only place that decides.

It is told what happened and answers what to do; it knows no process, no clock
and no signal, so every order of faults can be played in a test.
"""

from collections.abc import Callable
import enum
import logging

from oslo_asyncio._supervisor import announce
from oslo_asyncio._supervisor import children
from oslo_asyncio._supervisor import crew
from oslo_asyncio._supervisor import events
from oslo_asyncio._supervisor import rolling


class Phase(enum.IntEnum):
    """How far the launcher has come; it only goes up."""

    RUNNING = 1
    STOPPING = 2
    HURRYING = 3
    KILLING = 4


_WORDS = {
    Phase.STOPPING: "Stopping",
    Phase.HURRYING: "Stopping at once",
    Phase.KILLING: "Killing",
}


class Supervisor:
    """Keeps the workers of some services running.

    :param services: name and number of workers of each.
    :param settings: the options.
    :param random: a number from 0 to 1, for the jitter.
    :param now: the time, in seconds of a clock that never goes back.
    """

    def __init__(
        self,
        services: list[tuple[str, int]],
        settings: events.Settings,
        random: Callable[[], float],
        now: float,
    ) -> None:
        self.phase = Phase.RUNNING
        self.status = 0
        self.crew = crew.Crew(settings, random)
        self.rolling = rolling.Rolling(self.crew)
        self._services = [
            children.Service(number, name, workers)
            for number, (name, workers) in enumerate(services)
        ]
        self._announcer = announce.Announcer(
            self.crew, self.rolling, self._services, now
        )

    def start(self, now: float) -> list[events.Action]:
        """The first actions."""
        for service in self._services:
            for _ in range(service.workers):
                self.crew.add_slot(service)
        return self.settle(now)

    def take(self, event: events.Event, now: float) -> list[events.Action]:
        """What has to be done about ``event`` itself; none of it asks for an answer."""
        self.crew.out = []
        match event:
            case events.Forked(key):
                self._forked(self.crew.by_key[key], event, now)
            case events.Said(key) if key in self.crew.by_key:
                self._heard(self.crew.by_key[key], event, now)
            case events.Ended(key) if key in self.crew.by_key:
                self._ended(self.crew.by_key[key], event, now)
            case events.Asked(what):
                self._asked(what, now)
            case events.Loaded(settings) if self.phase == Phase.RUNNING:
                self.rolling.loaded(settings, now)
            case events.Tick():
                self._enforce(now)
        return self.crew.out

    def settle(self, now: float) -> list[events.Action]:
        """What follows from all that has happened since.

        Fork and Configure READ ask for answers: the next events, in this order.
        """
        self.crew.out = []
        if self.phase == Phase.RUNNING:
            self._look_after(now)
        elif not self.crew.by_key:
            self.crew.out.append(events.Exit(self.status))
        return self.crew.out

    def waits(self, event: events.Event) -> bool:
        """Whether there is time to :meth:`settle` after the next event of the turn."""
        return isinstance(event, events.Ended) and self.rolling.slot is None

    def deadline(self) -> float | None:
        """When :meth:`take` wants a Tick, if nothing happens before."""
        own = self.crew.by_key.values()
        times = [child.due for child in own]
        if self.phase == Phase.RUNNING:
            times += [child.expires for child in own]
            times += [slot.at for slot in self.crew.slots if not slot.children]
            times.append(self._announcer.ping)
        return min((time for time in times if time is not None), default=None)

    # -- what happened --------------------------------------------------------

    def _forked(self, child: children.Child, event: events.Forked, now: float) -> None:
        if event.pid is None:
            self._remove(child, f"could not be forked: {event.error}", now)
        else:
            self.crew.forked(child, event.pid)

    def _heard(self, child: children.Child, event: events.Said, now: float) -> None:
        if child.state == children.State.LEAVING:
            return
        if event.word is events.Word.LEAVING:
            self.crew.leaving(child, now)
        elif child.state == children.State.READY:
            self.crew.expect_beat(child, now)
            if event.rss > child.rss_limit > 0:
                why = f"uses {event.rss >> 20} MiB of memory"
                self.rolling.recycle(child, why, now)
        elif event.word is events.Word.READY:
            self.crew.ready(child, now)

    def _ended(self, child: children.Child, event: events.Ended, now: float) -> None:
        how = children.ending(event.status, event.signal)
        if child.late(now) and event.status == 1:
            how = "hung, and ended itself with status 1"
        if self.phase > Phase.RUNNING and event.status != 0:
            self.status = self.status or 1
        self._remove(child, how, now)

    def _remove(self, child: children.Child, how: str, now: float) -> None:
        self.crew.remove(child)
        if child.ready_at is None and child.pid is not None:
            how += " before it was ready"
        if self.phase > Phase.RUNNING or child.told:
            self.crew.log(logging.INFO, f"{child} {how}")
        elif not self.rolling.failed(child, how):
            self._died(child, how, now)

    def _died(self, child: children.Child, how: str, now: float) -> None:
        slot, ready_at = child.slot, child.ready_at
        delay = slot.policy.died(None if ready_at is None else now - ready_at)
        slot.at = now + delay
        serves = self.crew.serves(slot.service, children.State.READY)
        if not serves and slot.policy.spent(slot.service.ever_ready):
            self._give_up(child, how, now)
            return
        when = f"in {delay:g} s" if delay else "at once"
        self.crew.log(logging.WARNING, f"{child} {how}; the next one starts {when}")

    def _give_up(self, child: children.Child, how: str, now: float) -> None:
        self.status = 1
        self.crew.log(
            logging.ERROR,
            f"{child.slot.service.name} does not stay up, giving up after "
            f"{child.slot.policy.failures} tries in a row; the last one, {child}, "
            f"{how}",
        )
        self._stop(Phase.STOPPING, now)

    # -- what is asked --------------------------------------------------------

    def _asked(self, what: events.Ask, now: float) -> None:
        if what is events.Ask.STOP:
            self._stop(Phase(min(self.phase + 1, Phase.KILLING)), now)
        elif what is events.Ask.HURRY:
            again = self.phase >= Phase.HURRYING
            self._stop(Phase.KILLING if again else Phase.HURRYING, now)
        elif self.phase > Phase.RUNNING:
            return
        elif what is events.Ask.RELOAD:
            self.rolling.ask()
        else:
            # where one of several services has one worker, it may have to be alone
            alone = len(self._services) == 1
            for service in self._services:
                if alone or service.workers > 1:
                    self._scale(service, what is events.Ask.MORE, now)

    def _scale(self, service: children.Service, more: bool, now: float) -> None:
        kept = self.crew.of(service)
        if more:
            self.crew.add_slot(service)
        elif len(kept) > 1:
            kept[-1].retired = True
            for child in kept[-1].children:
                self.crew.dismiss(child, now)
        count = len(self.crew.of(service))
        self.crew.log(logging.INFO, f"{service.name} is to have {count} workers")

    def _stop(self, phase: Phase, now: float) -> None:
        first = self.phase == Phase.RUNNING
        self.phase = phase
        if first:
            self.crew.out.append(events.CloseListeners())
        own = list(self.crew.by_key.values())
        self._say_stop(f"{_WORDS[phase]} {len(own)} workers", first)
        for child in own:
            if phase == Phase.KILLING:
                self.crew.kill(child)
            elif phase == Phase.HURRYING:
                self.crew.hurry(child, now)
            else:
                self.crew.dismiss(child, now)

    def _say_stop(self, text: str, first: bool) -> None:
        seconds = self.crew.longest_stop()
        notice = events.Notice.STOPPING if first else events.Notice.STATUS
        self.crew.out.append(events.Report(text, logging.INFO, notice, seconds))

    # -- what follows ---------------------------------------------------------

    def _enforce(self, now: float) -> None:
        # Only here: other events may have words of the same worker behind them.
        due = self.deadline()
        if due is not None and now > due + crew.LATE:
            self.crew.forgive(now)
        self.crew.enforce(now)

    def _look_after(self, now: float) -> None:
        self.rolling.recycle_old(now)
        self.rolling.advance(now)
        self.crew.slots = [s for s in self.crew.slots if s.children or not s.retired]
        if not self.rolling.reading:
            self.crew.fill(now)
        self._announcer.announce(now)
