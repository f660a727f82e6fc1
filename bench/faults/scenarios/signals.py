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

"""Signals to a service that is up."""

import signal
import time

from bench.faults import kernel
from bench.faults import launched
from bench.faults import spawn
from bench.faults import verdicts

_IDLE_SECONDS = 0.2


@verdicts.plays("1", "57")
def idle(stage: verdicts.Stage) -> tuple[verdicts.Verdict, ...]:
    """SIGTERM three idle workers; the fastest ends within 200 ms.

    The library's log, as every run writes one, is searched for eventlet's
    complaint about locks that are older than its patches.
    """
    run = stage.start(workers=3)
    took = [_time_to_end(pid) for pid in run.get_ready()]
    complaints = run.log.count("were not greened")
    return (
        verdicts.decide(
            min(took) < _IDLE_SECONDS,
            f"the fastest of 3 needed {1000 * min(took):.0f} ms",
        ),
        verdicts.decide(not complaints, f"{complaints} complaints in the log"),
    )


def _time_to_end(pid: int) -> float:
    watch = kernel.Watch(pid)
    start = time.monotonic()
    watch.send(signal.SIGTERM)
    watch.ended(10)
    watch.close()
    return time.monotonic() - start


@verdicts.plays("8", "9", patient=True)
def interrupt(stage: verdicts.Stage) -> tuple[verdicts.Verdict, ...]:
    """SIGINT to the process group that somebody else leads.

    That is what Ctrl-C does when make or a shell script has started the
    launcher.  Everything ends within ten seconds, and nobody is stopped twice.
    """
    with spawn.group_leader() as make:
        group = {"start_new_session": False, "process_group": make}
        run = stage.start(popen=group)
        run.get_ready()
        kernel.send_group(make, signal.SIGINT)
        took = run.gone(10)
    stops = [event.pid for event in run.events.all("stop")]
    twice = len(stops) - len(set(stops))
    ends = f"all gone after {took:.1f} s" if took is not None else ""
    return (
        verdicts.decide(not twice, f"stop() called twice in {twice} workers"),
        verdicts.decide(ends, ends or f"after 10 s {run.left()} did not notice"),
    )


@verdicts.plays("10")
def hangup_everybody(stage: verdicts.Stage) -> verdicts.Verdict:
    """SIGHUP to the launcher and all its workers at the same moment.

    The launcher lives, every service that ends is stopped first, and two
    workers are ready again.
    """
    run = stage.start()
    before = run.get_ready()
    for pid in [run.pid, *before]:
        kernel.send(pid, signal.SIGHUP)
    # those who ignore it would look settled at once
    run.until(lambda: len(run.events.all("start")) >= 4, 5)
    again = run.until(lambda: run.settled(1) or not run.alive(), 20)
    if not run.alive():
        return verdicts.broken(f"the launcher ended with status {run.status}")
    stopped = {event.pid for event in run.events.all("stop")}
    killed = [p for p in before if not kernel.runs(p) and p not in stopped]
    stayed = len([pid for pid in before if kernel.runs(pid)])
    seen = f"{stayed} of 2 workers kept their pid, {len(killed)} died without stop()"
    if not again:
        return verdicts.broken(f"not ready again after 20 s; {seen}")
    return verdicts.decide(not killed, seen)


@verdicts.plays("15")
def application_handler(stage: verdicts.Stage) -> verdicts.Verdict:
    """SIGUSR1 to the launcher and to a worker, before and after a reload.

    The handler that the application installed first of all runs each time.
    """
    run = stage.start()
    run.get_ready()
    heard = _count_usr1(run)
    run.signal(signal.SIGHUP)
    run.wait_for("ready", 4)
    run.get_ready()
    heard += _count_usr1(run)
    return verdicts.decide(heard == 4, f"the handler ran {heard} times of 4")


def _count_usr1(run: launched.Launched) -> int:
    heard = 0
    for pid in (run.pid, run.ready()[-1]):
        before = len(run.events.all("usr1"))
        kernel.send(pid, signal.SIGUSR1)
        heard += run.wait_for("usr1", before + 1, 5)
    return heard


@verdicts.plays("17", patient=True)
def stranger(stage: verdicts.Stage) -> verdicts.Verdict:
    """A process that the application has started itself comes to its end.

    It stays a zombie until the application asks for its exit status; the
    launcher neither reaps it nor takes it for a worker.
    """
    run = stage.start(stranger=True)
    before = run.get_ready()
    pid = int(run.events.all("stranger")[0].value)
    kernel.send(pid, signal.SIGTERM)
    run.until(lambda: kernel.state(pid) in ("Z", ""), 10)
    # no event says that something does not happen
    time.sleep(1)
    if kernel.state(pid) != "Z":
        return verdicts.broken("its exit status was taken by the launcher")
    same = run.ready() == before
    return verdicts.decide(same and run.alive(), "it was left alone")
