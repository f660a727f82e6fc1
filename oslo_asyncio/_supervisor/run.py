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

"""The shell around the supervisor: wait, tell it what happened, do what it says."""

from collections.abc import Callable
from collections.abc import Iterable
import gc
import logging
import os
import random
import signal
import sys
from typing import Any
from typing import NoReturn

from oslo_asyncio import _record
from oslo_asyncio import _terminal
from oslo_asyncio import _unpatched
from oslo_asyncio import _wire
from oslo_asyncio import systemd
from oslo_asyncio._supervisor import core
from oslo_asyncio._supervisor import events
from oslo_asyncio._supervisor import process
from oslo_asyncio._supervisor import signals

LOG = logging.getLogger(__name__)

_ASKED_BY = {
    signal.SIGTERM: events.Ask.STOP,
    signal.SIGINT: events.Ask.HURRY,
    signal.SIGHUP: events.Ask.RELOAD,
    signal.SIGTTIN: events.Ask.MORE,
    signal.SIGTTOU: events.Ask.FEWER,
}

_COMMANDS = {
    events.Command.HURRY: _wire.HURRY,
    events.Command.MUTATE: _wire.MUTATE,
}

#: milliseconds; poll takes no more than 2**31
_LONGEST_WAIT = 86_400_000.0

Unmask = Callable[[], None]


class Duties(_record.Record):
    """What the launcher does for the supervisor.

    :ivar work: in the child: run service number ``service`` as worker number
        ``worker``, and end the process; ``work(service, worker, channel,
        unmask)``.
    :ivar read: read the configuration again; None when it is bad.
    :ivar restore: take back what was read last.
    :ivar close_listeners: close the parent's copies of listening sockets.
    """

    work: Callable[[int, int, Any, Unmask], NoReturn]
    read: Callable[[], events.Settings | None]
    restore: Callable[[], None]
    close_listeners: Callable[[], None]


class Parent:
    """The process that forks the workers; :meth:`run` does everything.

    :param services: name and number of workers of each.
    :param settings: the options.
    :param duties: the launcher.
    :param notifier: the service manager.
    """

    def __init__(
        self,
        services: list[tuple[str, int]],
        settings: events.Settings,
        duties: Duties,
        notifier: systemd.Notifier,
    ) -> None:
        self._duties = duties
        self._notifier = notifier
        self._status: int | None = None
        self._now = _unpatched.time.monotonic
        self._poll = _unpatched.select.poll()
        self._inbox = signals.SignalInbox()
        self._processes: dict[int, process.Process] = {}
        self._sources: dict[int, Callable[[], Iterable[events.Event]]] = {}
        self._in_main_thread = _in_main_thread()
        self._warned = False
        self._supervisor = core.Supervisor(
            services, settings, random.random, self._now()
        )

    def ask(self, what: events.Ask) -> None:
        """Stop, or reload; from any thread."""
        self._inbox.post(what)

    def run(self) -> int:
        """Fork the workers and look after them until they have all ended."""
        self._watch(self._inbox.fd, self._asked)
        if self._in_main_thread:
            self._inbox.open(_ASKED_BY)
        else:
            LOG.warning(
                "Not in the main thread: this launcher handles no signals; stop it "
                "with its stop() method"
            )
        process.prctl()
        gc.collect()  # or garbage, and what it keeps open, would be frozen as well
        gc.freeze()  # what the workers share with us stays shared
        try:
            self._carry_out(self._supervisor.start(self._now()))
            while self._status is None:
                self._turn()
        finally:
            gc.unfreeze()
            self._inbox.close()
        return self._status

    def _turn(self) -> None:
        supervisor = self._supervisor
        for event in self._wait():
            self._do(supervisor.take(event, self._now()))
            # the replacements of workers that died together are forked together
            if not supervisor.waits(event):
                self._carry_out(supervisor.settle(self._now()))
            if self._status is not None:
                return
        self._carry_out(supervisor.settle(self._now()))

    def _carry_out(self, actions: Iterable[events.Action]) -> None:
        # in a loop: a call for each answer would make the stack as deep as there
        # are workers, and each child would begin on top of it
        answers = self._do(actions)
        while answers:
            for event in answers:
                self._do(self._supervisor.take(event, self._now()))
            answers = self._do(self._supervisor.settle(self._now()))

    # -- what happened --------------------------------------------------------

    def _wait(self) -> Iterable[events.Event]:
        due = self._supervisor.deadline()
        # rounded up: too early would be once more
        left = None
        if due is not None:
            left = min(max(0.0, due - self._now()) * 1000 + 1, _LONGEST_WAIT)
        # all of what is there is told before the time is: words first
        found = [self._sources[fd] for fd, _mask in self._poll.poll(left)]
        for source in found:
            yield from source()
        due = self._supervisor.deadline()
        if due is not None and due <= self._now():
            yield events.Tick()

    def _watch(self, fd: int, source: Callable[[], Iterable[events.Event]]) -> None:
        self._sources[fd] = source
        self._poll.register(fd, _unpatched.select.POLLIN)

    def _unwatch(self, fd: int) -> None:
        if self._sources.pop(fd, None):
            self._poll.unregister(fd)

    def _asked(self) -> Iterable[events.Event]:
        for item in self._inbox.take():
            if isinstance(item, events.Ask):
                # a second call of stop() is not in a hurry, as a signal would be
                if self._supervisor.phase == core.Phase.RUNNING:
                    yield events.Asked(item)
                continue
            LOG.info("Received %s", signal.Signals(item).name)
            what = _ASKED_BY[item]
            if item == signal.SIGHUP and not _terminal.is_daemon():
                what = events.Ask.STOP  # the terminal has gone
            yield events.Asked(what)

    def _said(self, child: int) -> Iterable[events.Event]:
        if child not in self._processes:
            return  # its end was met in the same turn, and this before it
        channel = self._processes[child].channel
        while True:
            try:
                message = channel.recv(_wire.LONGEST, _unpatched.socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                message = b""  # reset: it has died with something unread
            if not message:
                self._unwatch(channel.fileno())  # its pidfd will tell
                return
            if message == _wire.READY:
                yield events.Said(child, events.Word.READY)
            elif message == _wire.LEAVING:
                yield events.Said(child, events.Word.LEAVING)
            elif message.startswith(_wire.BEAT):
                rss = int(message.removeprefix(_wire.BEAT) or 0)
                yield events.Said(child, events.Word.BEAT, rss)

    def _ended(self, child: int) -> Iterable[events.Event]:
        ended = self._processes[child]
        yield from self._said(child)  # its last words
        del self._processes[child]
        self._unwatch(ended.pidfd)
        self._unwatch(ended.channel.fileno())
        status = ended.reap()
        yield events.Ended(child, status, _name(-status))

    # -- what to do -----------------------------------------------------------

    def _do(self, actions: Iterable[events.Action]) -> list[events.Event]:
        answers: list[events.Event] = []
        for action in actions:
            match action:
                case events.Fork():
                    answers.append(self._fork(action))
                case events.Kill(child, name) if child in self._processes:
                    self._processes[child].kill(getattr(signal, f"SIG{name}"))
                case events.Send(child, command) if child in self._processes:
                    self._processes[child].send(_COMMANDS[command])
                case events.Configure(what):
                    answers += self._configure(what)
                case events.Report():
                    self._report(action)
                case events.CloseListeners():
                    self._duties.close_listeners()
                case events.Exit(status):
                    self._status = status
        return answers

    def _fork(self, order: events.Fork) -> events.Forked:
        self._warn_of_threads()
        flush()

        def work(channel: Any, unmask: Unmask) -> NoReturn:
            self._forget()
            self._duties.work(order.service, order.worker, channel, unmask)

        try:
            made = process.fork(work, die_with_us=self._in_main_thread)
        except OSError as error:
            return events.Forked(order.child, None, str(error))
        self._processes[order.child] = made
        self._watch(made.pidfd, lambda: self._ended(order.child))
        self._watch(made.channel.fileno(), lambda: self._said(order.child))
        return events.Forked(order.child, made.pid)

    def _forget(self) -> None:
        """In the child: what is the parent's."""
        self._inbox.close()
        for each in self._processes.values():
            each.close()  # or it would look alive to its worker when we die

    def _warn_of_threads(self) -> None:
        if self._warned or len(os.listdir("/proc/self/task")) == 1:
            return
        self._warned = True
        names = {each.name for each in _unpatched.threading.enumerate()}
        LOG.warning(
            "Forking workers while other threads run: a lock that one of them "
            "holds now is held for ever in the worker; threads: %s",
            ", ".join(sorted(names - {"MainThread"})) or "not Python's",
        )

    def _configure(self, what: events.Config) -> list[events.Event]:
        if what is events.Config.READ:
            return [events.Loaded(self._duties.read())]
        self._duties.restore()
        return []

    def _report(self, report: events.Report) -> None:
        if report.level:
            LOG.log(report.level, "%s", report.text)
        match report.notice:
            case events.Notice.READY:
                self._notifier.send(
                    "READY=1", f"MAINPID={os.getpid()}", f"STATUS={report.text}"
                )
            case events.Notice.RELOADING:
                self._notifier.reloading(report.text)
            case events.Notice.STOPPING:
                self._notifier.stopping(report.text)
            case events.Notice.STATUS:
                self._notifier.status(report.text)
            case events.Notice.ALIVE:
                self._notifier.alive()
        if report.seconds is not None:
            self._notifier.extend(report.seconds)


def flush() -> None:
    """Flush what is buffered, or each child would write it once more."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass


def _name(signum: int) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:
        return ""  # an exit status, or a real-time signal, most of which have none


def _in_main_thread() -> bool:
    return bool(_unpatched.threading.get_native_id() == os.getpid())
