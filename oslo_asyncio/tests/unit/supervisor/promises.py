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

"""What the supervisor promises, whatever happens: checked after every event.

It keeps a picture of its own, of what was told and what was answered, and asks
the supervisor nothing but its deadline.
"""

from dataclasses import dataclass

from oslo_asyncio._supervisor import core
from oslo_asyncio._supervisor import crew
from oslo_asyncio._supervisor import events
from oslo_asyncio._supervisor import restarts
from oslo_asyncio.tests.unit.supervisor import kernel as kernel_module

#: Seconds before the next try of a worker that does not get ready.
DELAYS = (0.5, 1, 2, 4, 8, 16, 30)

#: Clocks are floats.
NEARLY = 1e-6


@dataclass(eq=False)
class Life:
    """One process, as far as the supervisor can know.

    :ivar due: when it must have become ready, sent a beat, or ended.
    :ivar old_at: when it may be replaced for its age.
    :ivar rss: with how much memory it may be replaced; ``fat``: that it has it.
    """

    key: int
    worker: int
    service: int
    born: float
    config: int
    settings: events.Settings
    due: float | None = None
    ready_at: float | None = None
    left_at: float | None = None
    old_at: float | None = None
    rss: float = 0.0
    fat: bool = False
    told: bool = False
    retired: bool = False
    hurried: bool = False
    pushed: str = ""

    @property
    def serving(self):
        return self.ready_at is not None and self.left_at is None

    @property
    def starting(self):
        return self.ready_at is None and self.left_at is None


class Promises(kernel_module.Watch):
    """Raises AssertionError as soon as one is broken."""

    def __init__(self, kernel):
        self.kernel = kernel
        self.phase = core.Phase.RUNNING
        self.wanted = [workers for _name, workers in kernel.services]
        self.slots = {}  # worker: service, in the order of their making
        self.lives = {}
        self.failures = {}  # worker: deaths in a row
        self.not_before = {}
        self.ever_ready = set()
        self.replacing = None  # the worker
        self.replacement = None  # the process
        self.wish = self.reloading = self.closed = False
        self.notices = []
        self.expected_status = 0
        self.spent = None
        self.question = False
        self.due_before = None
        for service, workers in enumerate(self.wanted):
            for _ in range(workers):
                self._add_slot(service)

    @property
    def now(self):
        return self.kernel.now

    @property
    def running(self):
        return self.phase == core.Phase.RUNNING

    # -- told -----------------------------------------------------------------

    def before(self, event):
        assert self.kernel.status is None, "told something after Exit"
        self.spent = None
        self.question = False
        self.due_before = None
        if event is not None:
            self.due_before = self.kernel.supervisor.deadline()
        match event:
            case events.Forked(key, None):
                self._gone(key, 0)
            case events.Said(key, word, rss):
                self._said(self.lives[key], word, rss)
            case events.Ended(key, status):
                self._gone(key, status)
            case events.Asked(what):
                self._asked(what)
            case events.Loaded(settings):
                self._loaded(settings)
            case events.Tick():
                self._excuse()
        self._end_replacement()

    def _add_slot(self, service):
        taken = set(self.slots) | {life.worker for life in self.lives.values()}
        worker = next(n for n in range(len(taken) + 1) if n not in taken)
        self.slots[worker] = service
        self.failures[worker] = 0
        self.not_before[worker] = self.now

    def _said(self, life, word, rss):
        if life.left_at is not None:
            return
        settings = self.kernel.settings
        if word is events.Word.LEAVING:
            self._leaves(life)
            return
        if life.ready_at is None and word is events.Word.READY:
            life.ready_at = self.now
            self.ever_ready.add(life.service)
            life.rss = settings.rss * (1 - crew.JITTER)
            if settings.lifetime:
                life.old_at = self.now + settings.lifetime * (1 - crew.JITTER)
            if life.key == self.replacement:
                for other in self._of(life.worker):
                    if other is not life:
                        self._told(other)
        if life.ready_at is not None:
            beat = life.settings.heartbeat
            life.due = self.now + beat if beat else None
            life.fat |= 0 < life.rss < rss

    def _leaves(self, life):
        life.left_at = self.now
        life.due = None
        self._hasten(life, self.kernel.settings.grace)

    def _told(self, life):
        """That it may go, which it has to hear only if it does not yet."""
        life.told = True
        if life.left_at is not None:
            self._hasten(life, self.kernel.settings.grace)

    def _hasten(self, life, grace):
        if grace and not life.pushed:
            due = self.now + grace + crew.MARGIN
            life.due = due if life.due is None else min(life.due, due)

    def _excuse(self):
        due = self.due_before
        if due is not None and self.now > due + crew.LATE:
            for life in self.lives.values():
                if life.serving and life.settings.heartbeat:
                    life.due = self.now + life.settings.heartbeat

    def _gone(self, key, status):
        life = self.lives.pop(key)
        worker = life.worker
        if not self.running:
            self.expected_status = self.expected_status or int(status != 0)
            return
        if life.retired or life.told:
            return
        if key == self.replacement and life.ready_at is None:
            self.replacing = self.replacement = None
            return
        lasted = None if life.ready_at is None else self.now - life.ready_at
        self._count(worker, lasted)

    def _count(self, worker, lasted):
        if lasted is not None and lasted >= restarts.STABLE:
            self.failures[worker] = 0
            self.not_before[worker] = self.now
            return
        self.failures[worker] += 1
        number = self.failures[worker]
        free = 0 if lasted is None else restarts.BURST
        delay = 0 if number <= free else DELAYS[min(number - free, len(DELAYS)) - 1]
        self.not_before[worker] = self.now + delay
        service = self.slots[worker]
        serves = any(x.serving and x.service == service for x in self.lives.values())
        budget = restarts.BURST * (2 if service in self.ever_ready else 1)
        if not serves and number >= budget:
            self.spent = worker

    def _asked(self, what):
        if what is events.Ask.STOP:
            self.phase = core.Phase(min(self.phase + 1, core.Phase.KILLING))
        elif what is events.Ask.HURRY:
            again = self.phase >= core.Phase.HURRYING
            self.phase = core.Phase.KILLING if again else core.Phase.HURRYING
        elif not self.running:
            pass
        elif what is events.Ask.RELOAD:
            self.wish = True
        else:
            for service, (_name, workers) in enumerate(self.kernel.services):
                if len(self.kernel.services) == 1 or workers > 1:
                    self._scale(service, what is events.Ask.MORE)
        if what in (events.Ask.STOP, events.Ask.HURRY):
            self._stops()

    def _stops(self):
        for life in self.lives.values():
            self._told(life)
            if self.phase == core.Phase.HURRYING:
                self._hasten(life, crew.HURRY)

    def _scale(self, service, more):
        if more:
            self.wanted[service] += 1
            self._add_slot(service)
        elif self.wanted[service] > 1:
            self.wanted[service] -= 1
            youngest = [w for w, own in self.slots.items() if own == service][-1]
            del self.slots[youngest]
            for life in self._of(youngest):
                life.retired = True
                self._told(life)
            if self.replacing == youngest:
                self.replacing = self.replacement = None

    def _loaded(self, settings):
        self.reloading = settings is not None
        if settings is not None:
            for worker in self.slots:
                self.failures[worker] = 0
                self.not_before[worker] = min(self.not_before[worker], self.now)

    def _of(self, worker):
        return [life for life in self.lives.values() if life.worker == worker]

    # -- answered -------------------------------------------------------------

    def action(self, action, event):
        assert self.kernel.status is None, "did something after Exit"
        if isinstance(event, events.Tick):
            due = self.due_before
            early = due is None or due > self.now
            assert not early, "acted on an early tick"
        match action:
            case events.Fork():
                self._fork(action)
            case events.Kill(key, name):
                assert key in self.lives, "signalled a process that was reaped"
                self._kill(self.lives[key], name)
            case events.Send(key, command):
                assert key in self.lives, "sent to a process that was reaped"
                self._send(self.lives[key], command, event)
            case events.Configure(what):
                self._configure(what)
            case events.Report(text, _level, notice):
                self._report(text, notice)
            case events.CloseListeners():
                self._close_listeners()
            case events.Exit(status):
                assert not self.lives, "left while processes live"
                assert self.closed, "left without closing the listeners"
                assert status == self.expected_status

    def _fork(self, fork):
        assert not self.question, "forked while the configuration is read"
        assert self.running, "forked while stopping"
        assert self.slots.get(fork.worker) == fork.service, "forked for nobody"
        worker, others = fork.worker, self._of(fork.worker)
        settings = self.kernel.settings
        start = self.now + settings.start if settings.start else None
        life = Life(
            fork.child,
            worker,
            fork.service,
            self.now,
            self.kernel.config,
            settings,
            start,
        )
        if others:
            (old,) = others
            self._may_begin(old)
            assert self._starts_first(fork.service), "has to stop first"
            self.replacing, self.replacement = worker, fork.child
        else:
            assert self.now >= self.not_before[worker] - NEARLY, "forked too early"
            if self.replacing == worker:
                self.replacement = fork.child
        self.lives[fork.child] = life

    def _starts_first(self, service):
        order = self.kernel.settings.order
        several = self.wanted[service] > 1
        return order == "start_first" or (order == "auto" and several)

    def _may_begin(self, old):
        assert self.replacing is None, "replaced two workers at once"
        assert old.serving, "replaced a worker that does not serve"
        assert not old.told, "replaced one that was dismissed"
        outdated = self.reloading and old.config != self.kernel.config
        aged = old.old_at is not None and self.now >= old.old_at - NEARLY
        assert outdated or aged or old.fat, "replaced without a reason"

    def _kill(self, life, name):
        assert not self.question, "signalled after a question"
        if name == "TERM":
            assert life.left_at is None, "told to stop twice"
            assert self.running or self.closed, "the listeners come first"
            if self.running and not life.retired:
                self._dismissed(life)
            life.told = True
            self._leaves(life)
            if self.phase >= core.Phase.HURRYING:
                self._hasten(life, crew.HURRY)
            return
        if self.phase < core.Phase.KILLING:
            overdue = life.due is not None and self.now >= life.due - NEARLY
            assert overdue, "used force on a worker in time"
            assert (name == "KILL") == (life.pushed == "ABRT"), "skipped a step"
        assert life.pushed != "KILL", "killed twice"
        life.pushed = name
        life.left_at = self.now if life.left_at is None else life.left_at
        life.due = self.now + crew.ABORT if name == "ABRT" else None

    def _dismissed(self, life):
        assert life.serving, "dismissed a worker that was not ready"
        if self.replacing == life.worker:
            fresh = self.lives[self.replacement]
            assert fresh is not life, "dismissed the replacement"
            assert fresh.serving, "dismissed before the replacement was ready"
            return
        self._may_begin(life)
        assert not self._starts_first(life.service), "has to start first"
        self.replacing, self.replacement = life.worker, None

    def _send(self, life, command, event):
        if command is events.Command.HURRY:
            assert self.phase >= core.Phase.HURRYING
            assert not life.hurried, "hurried twice"
            life.hurried = True
        else:
            assert isinstance(event, events.Loaded)
            assert life.left_at is None, "changed one that leaves"
            life.config = self.kernel.config

    def _configure(self, what):
        if what is events.Config.RESTORE:
            assert self.reloading, "took back what was not read"
            return
        assert not self.question, "asked to read twice"
        self.question = True
        assert self.running, "reloaded while stopping"
        assert self.wish, "reloaded without having been asked"
        assert not self.reloading, "two reloads at once"
        assert self.replacing is None, "reloaded during a replacement"
        assert not self._booting(), "reloaded while workers start"
        self.wish = False

    def _booting(self):
        return any(life.starting for life in self.lives.values())

    def _report(self, text, notice):
        if text.startswith("Reload ended"):
            for life in self.lives.values():
                current = life.config == self.kernel.config
                assert current or life.left_at is not None, "left one out"
        if text.startswith(("Reload ended", "Reload failed")):
            self.reloading = False
        if notice not in (None, events.Notice.STATUS):
            self._notice(notice)

    def _notice(self, notice):
        before = self.notices[-1] if self.notices else None
        ready, reloading = events.Notice.READY, events.Notice.RELOADING
        if notice is events.Notice.STOPPING:
            assert before is not events.Notice.STOPPING, "stopping twice"
            assert self.closed, "the listeners come first"
        elif notice is events.Notice.ALIVE:
            assert before in (ready, reloading), "alive before it was ready"
            self._all_alive()
            return
        elif notice is reloading:
            assert before is ready, "reloading out of turn"
        else:
            assert before in (None, reloading), "ready out of turn"
            if before is None:
                self._all_ready()
        self.notices.append(notice)

    def _all_ready(self):
        for worker in self.slots:
            assert any(x.serving for x in self._of(worker)), "ready before all are"

    def _all_alive(self):
        replacing = self.slots.get(self.replacing)
        for service in range(len(self.wanted)):
            own = [x for x in self.lives.values() if x.service == service]
            alive = bool(own)  # one that drains is alive as well
            assert alive or service == replacing, "nobody is alive"

    def _close_listeners(self):
        assert not self.closed, "closed the listeners twice"
        self.closed = True
        if self.running:
            assert self.spent is not None, "gave up too early"
            self.phase, self.expected_status = core.Phase.STOPPING, 1
            self._stops()
        self.spent = None
        self.replacing = self.replacement = None
        self.wish = self.reloading = False

    # -- afterwards -----------------------------------------------------------

    def after(self, event, answer):
        self._end_replacement()
        assert self.spent is None, "did not give up"
        assert self.closed == (not self.running), "did not stop"
        if answer is not None or self.kernel.status is not None:
            return
        if self.phase > core.Phase.RUNNING:
            assert self.lives, "did not leave"
            for life in self.lives.values():
                assert life.left_at is not None, "was not told to stop"
                hurried = self.phase != core.Phase.HURRYING or life.hurried
                assert hurried, "was not told to hurry"
                killed = self.phase < core.Phase.KILLING or life.pushed == "KILL"
                assert killed, "was not killed"
        else:
            self._population()
            self._respawn()
            self._reload_in_time()
        self._time(event)

    def _end_replacement(self):
        fresh = self.lives.get(self.replacement)
        alone = len(self._of(self.replacing)) == 1
        if fresh is not None and fresh.serving and alone:
            self.replacing = self.replacement = None

    def _population(self):
        count = [life.worker for life in self.lives.values() if not life.retired]
        assert len(count) <= sum(self.wanted) + 1, "too many processes"
        assert len(self.slots) == sum(self.wanted)
        for worker in self.slots:
            most = 2 if worker == self.replacing else 1
            assert count.count(worker) <= most, "too many processes of one worker"

    def _respawn(self):
        for worker in self.slots:
            if not self._of(worker):
                waits = self.not_before[worker] > self.now - NEARLY
                assert waits, "a worker was not started again"

    def _reload_in_time(self):
        busy = self.reloading or self.replacing is not None or self._booting()
        assert busy or not self.wish, "forgot a reload"

    def _time(self, event):
        if not isinstance(event, events.Tick):
            return
        due = self.kernel.supervisor.deadline()
        assert due is None or due > self.now, "wants a tick again and again"
        for life in self.lives.values():
            late = life.due is not None and life.due < self.now - NEARLY
            assert not late, "missed a deadline"
