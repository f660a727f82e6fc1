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

"""SIGHUP and the config file."""

import signal
import time

from bench.faults import launched
from bench.faults import verdicts

_BROKEN = "[DEFAULT\nvalue 2\n"


@verdicts.plays("29", patient=True)
def broken_config(stage: verdicts.Stage) -> verdicts.Verdict:
    """SIGHUP with a config file that cannot be parsed.

    Every connection of the next two seconds is answered.  Whether the next
    SIGHUP reads the file, once it is right again, is told but not judged.
    """
    return _survives(stage.start(method="reload"))


@verdicts.plays("29 mutate", patient=True)
def broken_mutation(stage: verdicts.Stage) -> verdicts.Verdict:
    """The same with ``restart_method="mutate"``."""
    return _survives(stage.start(method="mutate"))


def _survives(run: launched.Launched) -> verdicts.Verdict:
    run.get_ready()
    run.write_config(_BROKEN)
    run.signal(signal.SIGHUP)
    asked = failed = 0
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and run.alive():
        asked += 1
        failed += not _answers(run)
        time.sleep(0.02)
    if not run.alive():
        return verdicts.broken(f"the launcher ended with status {run.status}")
    if failed:
        return verdicts.broken(f"{failed} of {asked} connections failed")
    run.configure(2)
    run.signal(signal.SIGHUP)
    new = run.events.wait(lambda: _with_value(run, "2") >= 2, 10)
    seen = "the repaired file was" + ("" if new else " not") + " read"
    return verdicts.held(f"{asked} connections answered, {seen}")


def _answers(run: launched.Launched) -> bool:
    try:
        run.ask(5)
    except OSError:
        return False
    return True


def _with_value(run: launched.Launched, value: str) -> int:
    """How many workers have said that they run with this value."""
    return len(_processes(run, value) - {run.pid})


def _processes(run: launched.Launched, value: str) -> set[int]:
    told = run.events.all("ready", "reset")
    return {event.pid for event in told if event.value == value}


@verdicts.plays("30")
def mutate(stage: verdicts.Stage) -> verdicts.Verdict:
    """SIGHUP with ``restart_method="mutate"`` and a new value in the file.

    The same workers go on, and each one's reset() is called once and finds
    the new value.
    """
    run = stage.start(method="mutate")
    before = run.get_ready()
    run.configure(2)
    run.signal(signal.SIGHUP)
    run.events.wait(lambda: _resets(run) >= 2 or len(run.events.all("start")) > 3, 10)
    # no event says that something does not happen
    time.sleep(1)
    stayed = len(set(before) & set(run.ready()))
    seen = (
        f"{stayed} of 2 workers stayed, {_resets(run)} resets,"
        f" new value in {_with_value(run, '2')}"
    )
    kept = (stayed, _resets(run), _with_value(run, "2")) == (2, 2, 2)
    return verdicts.decide(kept, seen)


def _resets(run: launched.Launched) -> int:
    # oslo.service's eventlet backend calls it in the launcher, too
    return len([event for event in run.events.all("reset") if event.pid != run.pid])


@verdicts.plays("32", patient=True)
def no_fork(stage: verdicts.Stage) -> verdicts.Verdict:
    """One process: SIGHUP reloads the service in it, SIGTERM ends it well."""
    run = stage.start(no_fork=True)
    run.get_ready()
    run.configure(2)
    run.signal(signal.SIGHUP)
    reloaded = run.events.wait(lambda: _processes(run, "2"), 5)
    run.until(run.ready, 5)
    run.signal(signal.SIGTERM)
    if run.gone(launched.PATIENCE) is None:
        return verdicts.broken(f"SIGTERM ignored, reloaded: {_yes(reloaded)}")
    seen = f"reloaded: {_yes(reloaded)}, then status {run.status}"
    return verdicts.decide(reloaded and run.status == 0, seen)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
