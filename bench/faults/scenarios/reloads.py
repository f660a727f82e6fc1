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

"""Reloads under load."""

import signal
import threading
import time

from bench.faults import events
from bench.faults import launched
from bench.faults import verdicts

_RELOADS = 4
_WORKERS = 3
_TRAFFIC = 20


@verdicts.plays("28", "52", "40")
def reload_under_load(stage: verdicts.Stage) -> tuple[verdicts.Verdict, ...]:
    """Four reloads of three workers while two clients connect all the time.

    Each worker needs 0.3 s to start, as a small service does.  At every moment
    some worker is ready, every connection is answered within ten seconds, and
    after the last reload the launcher is as large as after the first.
    """
    run = stage.start(workers=_WORKERS, start_seconds=0.3)
    run.get_ready()
    sizes = []
    with Load(run) as load:
        for number in range(_RELOADS):
            if not _reload(run, load):
                reason = f"{len(run.ready())} workers ready after reload {number + 1}"
                return (verdicts.broken(reason),) * 3
            sizes.append(run.size())
    return (
        _somebody_ready(run.events.all("ready", "stop")),
        verdicts.decide(not load.failed, load.story),
        _grown(run, sizes),
    )


def _reload(run: launched.Launched, load: "Load") -> bool:
    """Reload in the midst of traffic, and wait until three services are new."""
    answered = load.answered
    run.until(lambda: load.answered > answered + _TRAFFIC, 5)
    before = len(run.events.all("ready"))
    run.signal(signal.SIGHUP)
    return run.wait_for("ready", before + _WORKERS) and run.until(
        lambda: _calm(run), launched.PATIENCE
    )


def _calm(run: launched.Launched) -> bool:
    """Three workers, all of them ready, and no old one left."""
    return len(run.ready()) == len(run.workers()) == _WORKERS


def _somebody_ready(seen: list[events.Event]) -> verdicts.Verdict:
    """Add up the time in which no worker was between ready and stop."""
    ready: set[int] = set()
    since = gaps = 0
    total = 0.0
    for event in sorted(seen, key=lambda event: event.ns):
        if event.name == "ready":
            total += (event.ns - since) / 1e9 if since and not ready else 0
            ready.add(event.pid)
        elif event.pid in ready:
            ready.discard(event.pid)
            gaps += not ready
        since = event.ns if not ready else since
    story = f"nobody ready {gaps} times in {_RELOADS} reloads, {total:.2f} s in all"
    return verdicts.decide(not gaps, story)


def _grown(run: launched.Launched, sizes: list[tuple[int, int]]) -> verdicts.Verdict:
    fds, threads = sizes[0]
    # what the last reload used may still be about to be closed
    run.until(lambda: run.size() == sizes[0], 1)
    last_fds, last_threads = run.size()
    story = f"{fds} -> {last_fds} descriptors, {threads} -> {last_threads} threads"
    return verdicts.decide(last_fds <= fds and last_threads <= threads, story)


class Load:
    """Two clients, one connection after the other."""

    def __init__(self, run: launched.Launched) -> None:
        self._run = run
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._connect) for _ in range(2)]
        self.answered = 0
        self.slowest = 0.0
        self.failed: list[str] = []

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def story(self) -> str:
        total = self.answered + len(self.failed)
        kinds = ", ".join(sorted(set(self.failed)))
        seen = f"{len(self.failed)} of {total} connections failed"
        seen += f" ({kinds})" if kinds else ""
        return f"{seen}, the slowest took {self.slowest:.2f} s"

    def _connect(self) -> None:
        while not self._over.wait(0.01):
            start = time.monotonic()
            try:
                self._run.ask()
                self.answered += 1
            except OSError as error:
                self.failed.append(type(error).__name__)
            self.slowest = max(self.slowest, time.monotonic() - start)
