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

"""Signals to processes that have hardly begun to exist."""

import signal
import time

from bench.faults import kernel
from bench.faults import launched
from bench.faults import verdicts

_LAUNCHES = (4, 8)
_WORKERS = 12
_WINDOW = 0.005
_GONE_SECONDS = 5.0

_STOPS = 20
_STOP_WINDOW = 0.3
_STOP_SECONDS = 15.0
_ENOUGH_SECONDS = 20.0


@verdicts.plays("4")
def fresh_workers(stage: verdicts.Stage) -> verdicts.Verdict:
    """SIGTERM every second worker 0 to 5 ms after its fork.

    Each of these workers ends within five seconds, and the launcher lives on.
    The others are left alone, so that no launcher may take it for a service
    that cannot start.  Four launches, and as many again while nothing happens:
    a busy machine often misses the moment.
    """
    fewest, most = _LAUNCHES
    launches = hits = deaf = ended = 0
    while launches < fewest or (launches < most and not deaf and not ended):
        launches += 1
        run = stage.start(workers=_WORKERS, grace=3)
        victims = _hit_fresh_workers(run)
        hits += len(victims)
        deaf += _stayed(victims)
        ended += run.ended(0.5)
    seen = f"of {hits} fresh workers {deaf} stayed; the launcher ended {ended} times"
    return verdicts.decide(not deaf and not ended, f"{seen} in {launches}")


def _hit_fresh_workers(run: launched.Launched) -> list[kernel.Watch]:
    """Poll for new children, and signal every second after a delay of its own."""
    seen: list[int] = []
    due: dict[int, float] = {}
    victims: list[kernel.Watch] = []
    run.wait_for("launching")
    deadline = time.monotonic() + launched.PATIENCE
    while len(victims) < _WORKERS // 2 and time.monotonic() < deadline:
        for pid in set(kernel.children(run.pid)) - set(seen):
            seen.append(pid)
            if len(seen) % 2 and len(seen) < _WORKERS:
                due[pid] = time.monotonic() + _WINDOW * len(seen) / _WORKERS
        for pid in [pid for pid, when in due.items() if when <= time.monotonic()]:
            del due[pid]
            victims.append(kernel.Watch(pid))
            victims[-1].send(signal.SIGTERM)
        if not run.alive():
            break
        time.sleep(0.0002)
    return victims


def _stayed(victims: list[kernel.Watch]) -> int:
    deadline = time.monotonic() + _GONE_SECONDS
    stayed = 0
    for victim in victims:
        stayed += not victim.ended(max(0.0, deadline - time.monotonic()))
        victim.close()
    return stayed


@verdicts.plays("5")
def fresh_launcher(stage: verdicts.Stage) -> verdicts.Verdict:
    """SIGTERM the launcher 0 to 300 ms after the program begins to launch.

    How it ends does not matter: before its handlers stand, the default action
    may end it.  But launcher and workers end.
    """
    lost = tries = 0
    deadline = time.monotonic() + _ENOUGH_SECONDS
    for delay in _spread(_STOP_WINDOW, _STOPS):
        tries += 1
        run = stage.start(grace=3)
        run.wait_for("launching")
        time.sleep(delay)
        run.signal(signal.SIGTERM)
        lost += run.gone(_STOP_SECONDS) is None
        # a loss costs much time, and one would be enough
        if time.monotonic() > deadline:
            break
    return verdicts.decide(not lost, f"{lost} of {tries} early stops lost")


def _spread(window: float, number: int) -> list[float]:
    """Delays all over a window of time, the first few as well as all."""
    delays = [window * each / number for each in range(number)]
    return delays[::3] + delays[1::3] + delays[2::3]


@verdicts.plays("7")
def hangups(stage: verdicts.Stage) -> verdicts.Verdict:
    """SIGHUP every 5 ms for a second, from the first fork on.

    The workers need longer than that to start, so all of it is during the
    start-up, and is worth one reload.  The service is up afterwards.
    """
    run = stage.start(workers=2, start_seconds=1.3)
    run.until(run.workers, launched.PATIENCE)
    deadline = time.monotonic() + 1
    # on a slow machine a worker may be ready earlier, and a reload begin
    while time.monotonic() < deadline and not run.events.all("ready"):
        run.signal(signal.SIGHUP)
        time.sleep(0.005)
    quiet = run.until(lambda: run.settled(2) or not run.alive(), 25)
    starts = len(run.events.all("start"))
    if not run.alive():
        return verdicts.broken(f"the launcher ended with status {run.status}")
    seen = f"start() called {starts} times for 2 workers"
    if not quiet:
        return verdicts.broken(f"not ready again after 25 s; {seen}")
    return verdicts.decide(starts <= 4, seen)
