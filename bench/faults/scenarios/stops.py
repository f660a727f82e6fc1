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

"""Stops that something stands in the way of."""

import os
import signal
import socket
import time

from bench.faults import launched
from bench.faults import verdicts

_GRACE = 3
_MARGIN = 5


@verdicts.plays("6", patient=True)
def stop_in_start(stage: verdicts.Stage) -> verdicts.Verdict:
    """SIGTERM while start() runs: stop() is called, and everything ends."""
    run = stage.start(start_seconds=2.0)
    run.wait_for("start", 2)
    run.signal(signal.SIGTERM)
    took = run.gone(20)
    started = {event.pid for event in run.events.all("start")}
    stopped = {event.pid for event in run.events.all("stop")}
    if took is None:
        return verdicts.broken(f"after 20 s {run.left()} still there")
    seen = f"stop() called in {len(started & stopped)} of {len(started)} workers"
    return verdicts.decide(started <= stopped, f"{seen}, gone after {took:.1f} s")


@verdicts.plays("24", patient=True)
def stuck_workers(stage: verdicts.Stage) -> verdicts.Verdict:
    """One worker is stopped by SIGSTOP, in the other stop() hangs in C code.

    All are gone five seconds after the graceful timeout of three.
    """
    run = stage.start(grace=_GRACE, stop_hangs=True)
    os.kill(run.get_ready()[0], signal.SIGSTOP)
    run.signal(signal.SIGTERM)
    return _within_grace(run)


def _within_grace(run: launched.Launched) -> verdicts.Verdict:
    took = run.gone(_GRACE + _MARGIN)
    if took is not None:
        return verdicts.held(f"gone after {took:.1f} s with a {_GRACE} s limit")
    seen = f"alive {_GRACE + _MARGIN} s after SIGTERM with a {_GRACE} s limit"
    return verdicts.broken(f"{run.left()} {seen}")


@verdicts.plays("25 reload", patient=True)
def stop_in_reload(stage: verdicts.Stage) -> verdicts.Verdict:
    """SIGTERM as soon as a reload has begun to stop a worker."""
    run = stage.start(start_seconds=0.5, stop_seconds=1.0, grace=5)
    run.get_ready()
    run.signal(signal.SIGHUP)
    run.wait_for("stop")
    run.signal(signal.SIGTERM)
    took = run.gone(run.grace + _MARGIN)
    if took is None:
        return verdicts.broken(f"{run.left()} alive after {run.grace + _MARGIN} s")
    return verdicts.held(f"gone after {took:.1f} s")


@verdicts.plays("25 stop", patient=True)
def interrupt_in_stop(stage: verdicts.Stage) -> verdicts.Verdict:
    """SIGINT while a stop may take another minute: gone within eight seconds."""
    run = stage.start(stop_seconds=60, grace=60)
    run.get_ready()
    run.signal(signal.SIGTERM)
    run.wait_for("stop", 2)
    run.signal(signal.SIGINT)
    took = run.gone(8)
    if took is None:
        return verdicts.broken(f"{run.left()} alive 8 s after SIGINT")
    return verdicts.held(f"gone {took:.1f} s after SIGINT")


@verdicts.plays("33", patient=True)
def looping_call(stage: verdicts.Stage) -> verdicts.Verdict:
    """Something repeats in the launcher when SIGTERM comes.

    The library's looping call, or a pool's thread where it has none.
    """
    run = stage.start(grace=_GRACE, looping=True)
    run.get_ready()
    run.signal(signal.SIGTERM)
    return _within_grace(run)


@verdicts.plays("46", patient=True)
def stuck_pool(stage: verdicts.Stage) -> verdicts.Verdict:
    """A thread of a concurrent.futures pool sleeps on, in each process."""
    run = stage.start(grace=_GRACE, occupied=True)
    run.get_ready()
    run.signal(signal.SIGTERM)
    return _within_grace(run)


@verdicts.plays("53")
def refused_at_once(stage: verdicts.Stage) -> verdicts.Verdict:
    """Connect every few milliseconds while a stop drains for two seconds.

    The kernel refuses within 100 ms; the best of three runs counts.
    """
    best = float("inf")
    for _ in range(3):
        run = stage.start(stop_seconds=2.0, close_listener=True)
        run.get_ready()
        took = _time_to_refusal(run)
        drained = {event.pid for event in run.events.all("stopped")} - {run.pid}
        if len(drained) < 2:
            return verdicts.broken(f"{len(drained)} of 2 workers ended their drain")
        best = min(best, took)
        if best < 0.1:
            break
    return verdicts.decide(best < 0.1, f"refused {1000 * best:.0f} ms after SIGTERM")


def _time_to_refusal(run: launched.Launched) -> float:
    port = run.port
    start = run.signal(signal.SIGTERM)
    while _accepts(port):
        time.sleep(0.002)
    took = (time.monotonic_ns() - start) / 1e9
    run.gone(10)
    return took


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        pass  # reset or timed out: the kernel has not refused it
    return True
