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

"""Workers and launchers that die."""

import pathlib
import signal
import tempfile
import time

from bench.faults import kernel
from bench.faults import launched
from bench.faults import verdicts

_REPLACED_SECONDS = 5.0
_LOOP_SECONDS = 20.0
_GIVE_UP_SECONDS = 15.0
_ENOUGH_STARTS = 100
_HANG_SECONDS = 15.0


@verdicts.plays("19")
def killed_worker(stage: verdicts.Stage) -> verdicts.Verdict:
    """kill -9 a worker: another one is ready within five seconds, no zombie."""
    run = stage.start()
    victim = run.get_ready()[0]
    start = time.monotonic()
    kernel.send(victim, signal.SIGKILL)
    replaced = run.wait_for("ready", 3, _REPLACED_SECONDS)
    took = time.monotonic() - start
    if not replaced:
        return verdicts.broken(f"nobody in its place after {took:.0f} s")
    run.until(lambda: not run.zombies(), 1)
    seen = f"replaced in {1000 * took:.0f} ms, {len(run.zombies())} zombies"
    return verdicts.decide(not run.zombies(), seen)


@verdicts.plays("19 loop", patient=True)
def killed_after_loop(stage: verdicts.Stage) -> verdicts.Verdict:
    """Workers fail to start for a while, with a SIGHUP in between.

    Once starting works again, both workers are back within twenty seconds;
    the delays of a launcher that slows down have passed by then.
    """
    with tempfile.TemporaryDirectory() as folder:
        flag = pathlib.Path(folder, "crash")
        run = stage.start(crash_while=str(flag))
        victim = run.get_ready()[0]
        flag.touch()
        kernel.send(victim, signal.SIGKILL)
        run.wait_for("start", 5, 3)
        run.signal(signal.SIGHUP)
        run.wait_for("start", 8, 3)
        flag.unlink()
        start = time.monotonic()
        back = run.until(lambda: _whole(run) or not run.alive(), _LOOP_SECONDS)
    took = time.monotonic() - start
    if not run.alive():
        return verdicts.broken(f"the launcher ended with status {run.status}")
    if back:
        return verdicts.held(f"whole again after {took:.1f} s")
    seen = f"{len(run.ready())} of 2 workers, {len(run.zombies())} zombies"
    return verdicts.broken(f"after {took:.0f} s {seen}")


def _whole(run: launched.Launched) -> bool:
    return len(run.ready()) == 2 and not run.zombies()


@verdicts.plays("20", patient=True)
def crash_loop(stage: verdicts.Stage) -> verdicts.Verdict:
    """start() always raises: the launcher gives up, and says so by its status.

    It may try for fifteen seconds, and a hundred times.
    """
    with tempfile.NamedTemporaryFile() as flag:
        run = stage.start(crash_while=flag.name)
        start = time.monotonic()
        gone = run.ended(_GIVE_UP_SECONDS)
        took = time.monotonic() - start
    starts = len(run.events.all("start"))
    if not gone:
        return verdicts.broken(f"still at it after {took:.0f} s and {starts} starts")
    seen = f"status {run.status} after {took:.1f} s and {starts} starts"
    return verdicts.decide(run.status != 0 and starts <= _ENOUGH_STARTS, seen)


@verdicts.plays("26", patient=True)
def killed_launcher(stage: verdicts.Stage) -> verdicts.Verdict:
    """kill -9 the launcher: its workers end within the grace time."""
    run = stage.start(grace=3)
    run.get_ready()
    run.signal(signal.SIGKILL)
    took = run.gone(run.grace + 5)
    if took is None:
        return verdicts.broken(f"after {run.grace + 5} s {run.left()} left")
    stops = len(run.events.all("stop"))
    return verdicts.held(f"gone after {took:.1f} s, stop() called in {stops} of 2")


@verdicts.plays("26 stuck", patient=True)
def orphan_that_hangs(stage: verdicts.Stage) -> verdicts.Verdict:
    """kill -9 the launcher while a worker hangs in C code and holds the GIL.

    A heartbeat is on, where there is one.  The worker is gone 15 s later.
    """
    run = _with_hanging_worker(stage)
    run.signal(signal.SIGKILL)
    took = run.gone(_HANG_SECONDS)
    if took is None:
        return verdicts.broken(f"after {_HANG_SECONDS:.0f} s {run.left()} left")
    return verdicts.held(f"gone after {took:.1f} s with a heartbeat of 2 s")


def _with_hanging_worker(stage: verdicts.Stage) -> launched.Launched:
    run = stage.start(grace=3, heartbeat=2, usr1_hangs=True)
    kernel.send(run.get_ready()[0], signal.SIGUSR1)
    run.wait_for("usr1")
    return run


@verdicts.plays("22", patient=True)
def hanging_worker(stage: verdicts.Stage) -> verdicts.Verdict:
    """A worker hangs: another one is ready in its place within 15 s."""
    run = _with_hanging_worker(stage)
    start = time.monotonic()
    if run.wait_for("ready", 3, _HANG_SECONDS):
        took = time.monotonic() - start
        return verdicts.held(f"replaced after {took:.1f} s with a heartbeat of 2 s")
    return verdicts.broken(f"not noticed within {_HANG_SECONDS:.0f} s")


@verdicts.plays("27", patient=True)
def killed_while_stopping(stage: verdicts.Stage) -> verdicts.Verdict:
    """kill -9 one worker while both are stopping: none is started for it."""
    run = stage.start(stop_seconds=1.5)
    victim = run.get_ready()[0]
    run.signal(signal.SIGTERM)
    run.wait_for("stop", 2)
    kernel.send(victim, signal.SIGKILL)
    took = run.gone(launched.PATIENCE)
    starts = len(run.events.all("start")) - 2
    if took is None:
        return verdicts.broken(f"{run.left()} still there, {starts} started")
    return verdicts.decide(not starts, f"{starts} started while stopping")
