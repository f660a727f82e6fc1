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

"""The workers, and what is done to one of them."""

from collections.abc import Callable
import logging

from oslo_asyncio._supervisor import children
from oslo_asyncio._supervisor import events

#: Seconds beyond graceful_shutdown_timeout after which force is used: a worker
#: keeps its deadline itself if it can, and needs the time to say which call is
#: stuck and to run the on_worker_exit hooks.
MARGIN = 2.0
#: Seconds that a worker is given to dump its stacks after SIGABRT.
ABORT = 1.0
#: Seconds that a stop may take once somebody is in a hurry, as in a worker.
HURRY = 1.0
#: Part of a worker's lifetime and memory by which the limits differ, or all of
#: them would be replaced in one go.
JITTER = 0.1
#: A parent that is so many seconds late was stopped, frozen or suspended, and its
#: workers perhaps with it.
LATE = 1.0


class Crew:
    """The workers of all services, by the number of their child and by slot.

    :param settings: the options; replaced after a reload.
    :param random: a number from 0 to 1, for the jitter.
    :ivar edition: of the configuration that the parent has now.
    :ivar announced: whether all workers were ready once.
    :ivar out: the actions that were decided since it was emptied.
    """

    def __init__(self, settings: events.Settings, random: Callable[[], float]) -> None:
        self.settings = settings
        self.edition = 0
        self.announced = False
        self.slots: list[children.Slot] = []
        self.by_key: dict[int, children.Child] = {}
        self.out: list[events.Action] = []
        self._random = random
        self._keys = 0

    def log(self, level: int, text: str) -> None:
        """One line for the operator."""
        self.out.append(events.Report(text, level))

    def add_slot(self, service: children.Service) -> children.Slot:
        """One worker more, with the lowest number that is free."""
        taken = {slot.number for slot in self.slots}
        number = next(n for n in range(len(taken) + 1) if n not in taken)
        self.slots.append(children.Slot(number, service))
        return self.slots[-1]

    def of(self, service: children.Service) -> list[children.Slot]:
        """The workers of a service that are to stay."""
        own = (slot for slot in self.slots if slot.service is service)
        return [slot for slot in own if not slot.retired]

    def longest_stop(self) -> float | None:
        """Seconds that a stop may take, force included; None: no limit."""
        grace = self.settings.grace
        return grace + MARGIN + ABORT if grace else None

    def longest_reload(self) -> float | None:
        """Seconds that it may take to replace all workers, one after the other."""
        stop, start = self.longest_stop(), self.settings.start
        return (start + stop) * len(self.slots) if start and stop else None

    def serves(self, service: children.Service, *states: children.State) -> bool:
        """Whether a process of the service is in one of these states."""
        return any(
            child.state in states and child.slot.service is service
            for child in self.by_key.values()
        )

    def fork(self, slot: children.Slot, now: float) -> children.Child:
        """Order a process for the slot."""
        self._keys += 1
        due = now + self.settings.start if self.settings.start else None
        beat = self.settings.heartbeat
        child = children.Child(self._keys, slot, now, self.edition, due, beat)
        slot.children.append(child)
        self.by_key[child.key] = child
        self.out.append(events.Fork(child.key, slot.number, slot.service.number))
        return child

    def fill(self, now: float) -> None:
        """Order a process for each worker that has none, if it is time for one."""
        for slot in self.slots:
            if not slot.children and now >= slot.at:
                self.fork(slot, now)

    def forked(self, child: children.Child, pid: int) -> None:
        """The process is there, and hears what it was to be told meanwhile."""
        child.pid = pid
        self.log(logging.INFO, f"{child} has started")
        if child.step > children.Step.NONE:
            self._push(child, child.step)

    def remove(self, child: children.Child) -> None:
        """It has been reaped."""
        del self.by_key[child.key]
        child.slot.children.remove(child)

    def ready(self, child: children.Child, now: float) -> None:
        """It serves; from now on it has to send beats."""
        child.state = children.State.READY
        child.ready_at = now
        child.slot.service.ever_ready = True
        spread = 1.0 - JITTER * self._random()
        child.rss_limit = self.settings.rss * spread
        if self.settings.lifetime:
            child.expires = now + self.settings.lifetime * spread
        self.expect_beat(child, now)
        took = (now - child.born) * 1000
        self.log(logging.INFO, f"{child} is ready after {took:.0f} ms")

    def expect_beat(self, child: children.Child, now: float) -> None:
        """The next one is due."""
        child.due = now + child.heartbeat if child.heartbeat else None

    def leaving(self, child: children.Child, now: float) -> None:
        """It stops, and has to be gone in time."""
        if child.state != children.State.LEAVING:
            child.state = children.State.LEAVING
            child.expires = child.due = None
        if self.settings.grace:
            child.hasten(now + self.settings.grace + MARGIN)

    def dismiss(self, child: children.Child, now: float) -> None:
        """Tell a child to stop, if nobody has yet."""
        child.told = True
        if child.step > children.Step.TERM:
            return
        leaves = child.state == children.State.LEAVING
        self.leaving(child, now)
        if not leaves:  # or a second SIGTERM would hurry it
            self._push(child, children.Step.TERM)

    def hurry(self, child: children.Child, now: float) -> None:
        """Tell a child to stop at once."""
        self.dismiss(child, now)
        self.out.append(events.Send(child.key, events.Command.HURRY))
        if child.step <= children.Step.TERM:
            child.hasten(now + HURRY + MARGIN)

    def kill(self, child: children.Child) -> None:
        """Do not ask any more."""
        child.state = children.State.LEAVING
        child.expires = child.due = None
        if child.step < children.Step.KILL:
            self._push(child, children.Step.KILL)

    def forgive(self, now: float) -> None:
        """Silence does not count: nobody was there to listen."""
        for child in self.by_key.values():
            if child.state == children.State.READY:
                self.expect_beat(child, now)

    def enforce(self, now: float) -> None:
        """Use force on every child that has missed its deadline."""
        for child in list(self.by_key.values()):
            if child.due is not None and now >= child.due:
                self._overdue(child, now)

    def _overdue(self, child: children.Child, now: float) -> None:
        what = {
            children.State.STARTING: f"is not ready after {now - child.born:.0f} s",
            children.State.READY: f"has been silent for {child.heartbeat:g} s",
            children.State.LEAVING: "has not stopped in time",
        }[child.state]
        child.state = children.State.LEAVING
        child.expires = None
        hard = child.step >= children.Step.ABRT
        step = children.Step.KILL if hard else children.Step.ABRT
        child.due = None if hard else now + ABORT
        self.log(logging.ERROR, f"{child} {what}: SIG{step.name}")
        self._push(child, step)

    def _push(self, child: children.Child, step: children.Step) -> None:
        child.step = step
        if child.pid is not None:
            self.out.append(events.Kill(child.key, step.name))
