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

"""A kernel and a shell for the supervisor, without processes and without time.

Processes do nothing by themselves: a test says what each does, and when.
"""

import collections
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field

from oslo_asyncio._supervisor import core
from oslo_asyncio._supervisor import events


@dataclass(eq=False)
class Process:
    """One worker, as the kernel sees it.

    :ivar config: number of the configuration that it was forked with.
    :ivar doomed: it never gets ready.
    :ivar deaf: it does not answer SIGTERM and sends no beats.
    :ivar stubborn: SIGABRT does not end it, either.
    :ivar frozen: it is stopped, and only SIGKILL gets through.
    :ivar outbox: words that the supervisor has not read yet.
    :ivar status: of its end; None: it lives.
    """

    key: int
    pid: int
    worker: int
    service: int
    config: int
    doomed: bool = False
    deaf: bool = False
    stubborn: bool = False
    frozen: bool = False
    said_ready: bool = False
    leaving: bool = False
    status: int | None = None
    signals: list[str] = field(default_factory=list)
    commands: list[events.Command] = field(default_factory=list)
    outbox: collections.deque[events.Said] = field(default_factory=collections.deque)

    def say(self, word: events.Word, rss: int = 0) -> None:
        """Write to the channel; the supervisor reads it later."""
        if self.status is None and not self.frozen:
            self.said_ready |= word is events.Word.READY
            self.leaving |= word is events.Word.LEAVING
            self.outbox.append(events.Said(self.key, word, rss))

    def die(self, status: int) -> None:
        """End; the supervisor is told later."""
        if self.status is None:
            self.status = status

    def signal(self, name: str) -> None:
        """Get a signal."""
        self.signals.append(name)
        if name == "KILL":
            self.die(-9)
        elif name == "TERM" and self.willing:
            self.say(events.Word.LEAVING)
        elif name == "ABRT" and not self.frozen and not self.stubborn:
            self.die(-6)

    @property
    def willing(self) -> bool:
        """Whether it would answer."""
        return self.status is None and not self.frozen and not self.deaf


class Kernel:
    """The processes, the clock and the configuration of one supervisor.

    :param watch: told of everything; see ``promises``.
    :ivar file: what the next reading of the configuration gives.
    :ivar poison: the next configuration lets no worker get ready.
    :ivar forks_fail: so many forks fail from now on.
    :ivar cursed: numbers of services that never get ready.
    """

    def __init__(
        self,
        services: list[tuple[str, int]],
        settings: events.Settings,
        random: Callable[[], float] = lambda: 0.0,
        watch: Callable[["Kernel"], "Watch"] | None = None,
    ) -> None:
        self.now = 1000.0
        self.services = services
        self.settings = self.file = settings
        self.poison = False
        self.poisoned: set[int] = set()
        self.config = 0
        self.forks_fail = 0
        self.cursed: set[int] = set()
        self.processes: dict[int, Process] = {}
        self.actions: list[events.Action] = []
        self.status: int | None = None
        self.told = 0
        self._configs = 0
        self._before = 0, settings
        self.supervisor = core.Supervisor(services, settings, random, self.now)
        self.watch = watch(self) if watch else Watch()
        self.watch.before(None)
        self._follow(self.supervisor.start(self.now), None)

    def tell(self, event: events.Event) -> list[events.Action]:
        """Tell the supervisor what has happened, and do what it says."""
        first = len(self.actions)
        self._take([event])
        self._follow(self.supervisor.settle(self.now), event)
        return self.actions[first:]

    def _take(self, told: Iterable[events.Event]) -> events.Event | None:
        self.broken = True  # unless this ends well
        event = None
        for event in told:
            self.told += 1
            self.watch.before(event)
            asked = self._obey(self.supervisor.take(event, self.now), event)
            assert not asked, "a question that nobody listens to"
        return event

    def _follow(
        self, actions: list[events.Action], event: events.Event | None
    ) -> None:
        self.broken = True
        while answers := self._obey(actions, event):
            self.watch.after(event, answers[0])
            event = self._take(answers)
            actions = self.supervisor.settle(self.now)
        self.watch.after(event, None)
        self.broken = False

    def _obey(
        self, actions: list[events.Action], event: events.Event | None
    ) -> list[events.Event]:
        answers = []
        for action in actions:
            self.actions.append(action)
            self.watch.action(action, event)
            answer = self._do(action)
            if answer is not None:
                answers.append(answer)
        return answers

    def _do(self, action: events.Action) -> events.Event | None:
        match action:
            case events.Fork():
                return self._fork(action)
            case events.Kill(key, name):
                self.processes[key].signal(name)
            case events.Send(key, command):
                self.processes[key].commands.append(command)
            case events.Configure(events.Config.READ):
                return events.Loaded(self._read())
            case events.Configure(events.Config.RESTORE):
                self.config, self.settings = self._before
            case events.Exit(status):
                self.status = status
        return None

    def _fork(self, order: events.Fork) -> events.Forked:
        if self.forks_fail:
            self.forks_fail -= 1
            return events.Forked(order.child, None, "Try again")
        taken = {process.pid for process in self.processes.values()}
        pid = next(n for n in range(100, 1000) if n not in taken)
        made = Process(order.child, pid, order.worker, order.service, self.config)
        made.doomed = order.service in self.cursed or self.config in self.poisoned
        self.processes[order.child] = made
        return events.Forked(order.child, pid)

    def _read(self) -> events.Settings | None:
        if self.file is None:
            return None
        self._before = self.config, self.settings
        self._configs += 1
        self.config, self.settings = self._configs, self.file
        if self.poison:
            self.poisoned.add(self.config)
        return self.file

    # -- what happens ---------------------------------------------------------

    def ask(self, *wishes: events.Ask) -> list[events.Action]:
        """Signals to the launcher, one after the other."""
        first = len(self.actions)
        for wish in wishes:
            if self.status is None:
                self.tell(events.Asked(wish))
        return self.actions[first:]

    def flush(self, processes: Iterable[Process] = ()) -> list[events.Action]:
        """Let the supervisor read what these, or all, have said, and reap them."""
        first = len(self.actions)
        for event in self._news(processes):
            self.tell(event)
        return self.actions[first:]

    def flush_together(self) -> list[events.Action]:
        """As :meth:`flush`, in one turn."""
        first = len(self.actions)
        for event in self._news():
            self._take([event])
            if not self.supervisor.waits(event):
                self._follow(self.supervisor.settle(self.now), event)
        if self.status is None:
            self._follow(self.supervisor.settle(self.now), None)
        return self.actions[first:]

    def _news(self, processes: Iterable[Process] = ()) -> Iterator[events.Event]:
        for process in list(processes or self.processes.values()):
            while process.outbox and self.status is None:
                yield process.outbox.popleft()
            if process.status is not None and self.status is None:
                del self.processes[process.key]
                name = {-6: "SIGABRT", -9: "SIGKILL"}.get(process.status, "")
                yield events.Ended(process.key, process.status, name)

    def tick(self) -> list[events.Action]:
        """The time that the supervisor has named has come."""
        return self.tell(events.Tick())

    def wait(self, seconds: float) -> list[events.Action]:
        """Let time pass, with a tick whenever the supervisor wants one."""
        first, end = len(self.actions), self.now + seconds
        while self.status is None:
            due = self.supervisor.deadline()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.flush()
            due = self.supervisor.deadline()
            if self.status is None and due is not None and due <= self.now:
                self.tick()
        self.now = end
        return self.actions[first:]

    def cooperate(self, rounds: int = 1, pause: float = 0.01) -> list[events.Action]:
        """Let all processes that are able to do what is expected of them."""
        first = len(self.actions)
        for _ in range(rounds):
            self.flush()
            for process in list(self.processes.values()):
                if process.willing:
                    self._behave(process)
                    self.flush([process])
            if self.status is not None:
                break
            self.wait(pause)
        return self.actions[first:]

    def _behave(self, process: Process) -> None:
        if process.leaving:
            process.die(0)
        elif process.said_ready:
            process.say(events.Word.BEAT)
        elif process.doomed:
            process.die(1)
        else:
            process.say(events.Word.READY)

    def curse(self, service: int) -> None:
        """No worker of this service gets ready any more."""
        self.cursed.add(service)
        for process in self.processes.values():
            process.doomed |= process.service == service

    # -- for examples ---------------------------------------------------------

    def of(self, worker: int) -> list[Process]:
        """The processes of a worker, the oldest first."""
        return [each for each in self.processes.values() if each.worker == worker]

    def texts(self, level: int = 1) -> list[str]:
        """What was logged so far."""
        reports = (each for each in self.actions if isinstance(each, events.Report))
        return [each.text for each in reports if each.level >= level]

    def notices(self) -> list[events.Notice]:
        """What the service manager was told so far, but for status lines."""
        found = [each.notice for each in self.actions if hasattr(each, "notice")]
        return [each for each in found if each not in (None, events.Notice.STATUS)]


class Watch:
    """Sees everything, and objects to nothing."""

    def before(self, event: events.Event | None) -> None:
        """The supervisor is about to be told; None: to start."""

    def action(self, action: events.Action, event: events.Event | None) -> None:
        """This is about to be done."""

    def after(self, event: events.Event | None, answer: events.Event | None) -> None:
        """All was done; ``answer`` comes next."""
