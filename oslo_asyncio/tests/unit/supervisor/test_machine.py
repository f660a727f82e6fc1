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

"""Any faults in any order: the promises hold.

A step is one event that the supervisor is told, after which every promise is
checked.  ``OSLO_ASYNCIO_MACHINE_STEPS`` says how many there are at least, and
``OSLO_ASYNCIO_MACHINE_SEED`` repeats a run.
"""

import os
import random
import time

import hypothesis
from hypothesis import stateful
from hypothesis import strategies as st
import pytest

from oslo_asyncio._supervisor import crew
from oslo_asyncio._supervisor import events
from oslo_asyncio.tests.unit.supervisor import kernel as kernel_module
from oslo_asyncio.tests.unit.supervisor import promises

STEPS = int(os.environ.get("OSLO_ASYNCIO_MACHINE_STEPS", 100_000))

MIB = 1 << 20

SETTINGS = st.builds(
    events.Settings,
    grace=st.sampled_from([60.0, 5.0, 0.0]),
    start=st.sampled_from([600.0, 20.0, 0.0]),
    heartbeat=st.sampled_from([0.0, 4.0, 30.0]),
    lifetime=st.sampled_from([0.0, 0.0, 100.0, 20.0]),
    rss=st.sampled_from([0, 100 * MIB]),
    order=st.sampled_from(["auto", "start_first", "stop_first"]),
    watchdog=st.sampled_from([0.0, 5.0]),
    mutate=st.sampled_from([False, False, False, True]),
)
WORKERS = st.lists(st.sampled_from([1, 1, 2, 3, 4, 8]), min_size=1, max_size=3)
WISHES = st.sampled_from(
    [events.Ask.RELOAD, events.Ask.RELOAD, events.Ask.MORE, events.Ask.FEWER]
)
STOPS = st.sampled_from([events.Ask.STOP, events.Ask.HURRY])
WHICH = st.integers(0, 15)
SECONDS = st.sampled_from([0.0, 0.01, 0.4, 1.0, 3.0, 11.0, 70.0])
STATUS = st.sampled_from([0, 1, 1, -9, -11, -6])


class Machine(stateful.RuleBasedStateMachine):
    """Workers, signals and clocks as they should not be."""

    steps = 0

    def __init__(self):
        super().__init__()
        self.kernel = None

    @property
    def alive(self):
        return self.kernel is not None and self.kernel.status is None

    def teardown(self):
        if self.alive and not self.kernel.broken:
            self._stops_in_time()
        if self.kernel is not None:
            type(self).steps += self.kernel.told

    def _stops_in_time(self):
        """Nobody helps: only force, and the kernel that reaps."""
        kernel = self.kernel
        kernel.flush()
        grace = kernel.settings.grace
        if kernel.watch.running and grace:
            kernel.ask(events.Ask.STOP)
        elif not grace:
            kernel.ask(events.Ask.HURRY)
            grace = crew.HURRY
        kernel.flush()
        kernel.wait(grace + crew.MARGIN + crew.ABORT)
        kernel.flush()
        assert not self.alive, "a stop took too long"

    def _some(self, which):
        """One of the processes, or none."""
        found = list(self.kernel.processes.values()) if self.alive else []
        return found[which % len(found)] if found else None

    # -- the launcher ---------------------------------------------------------

    @stateful.precondition(lambda self: not self.alive)
    @stateful.rule(
        workers=WORKERS, settings=SETTINGS, jitter=st.floats(0, 1), fails=st.booleans()
    )
    def launch(self, workers, settings, jitter, fails):
        if self.kernel is not None:
            type(self).steps += self.kernel.told
        services = [(f"service{n}", count) for n, count in enumerate(workers)]
        self.kernel = kernel_module.Kernel(
            services, settings, lambda: jitter, promises.Promises
        )
        if fails:
            self.kernel.cursed.add(0)

    @stateful.rule(wish=WISHES, times=st.sampled_from([1, 1, 1, 2, 20]))
    def ask(self, wish, times):
        if self.alive and len(self.kernel.processes) < 40:
            times = times if wish is events.Ask.RELOAD else 1
            self.kernel.ask(*[wish] * times)

    @stateful.rule(stop=STOPS, really=st.integers(0, 11))
    def stop(self, stop, really):
        if self.alive and (really == 0 or not self.kernel.watch.running):
            self.kernel.ask(stop)

    @stateful.rule(
        settings=SETTINGS,
        kind=st.sampled_from(["good", "good", "bad", "poison"]),
        now=st.booleans(),
    )
    def configure(self, settings, kind, now):
        if self.alive:
            self.kernel.file = None if kind == "bad" else settings
            self.kernel.poison = kind == "poison"
            if now:
                self.kernel.ask(events.Ask.RELOAD)

    @stateful.rule(rounds=st.integers(1, 10), rss=st.sampled_from([0, 0, 200 * MIB]))
    def recover(self, rounds, rss):
        """Whoever hangs is ended by somebody, and all the others do well."""
        if self.alive:
            self.kernel.cursed.clear()
            self.kernel.forks_fail = 0
            for process in list(self.kernel.processes.values()):
                if not process.willing:
                    process.die(-9)
                process.doomed = False
                process.say(events.Word.BEAT, rss)
            self.kernel.cooperate(rounds, 1.0)

    # -- the clock ------------------------------------------------------------

    @stateful.rule(seconds=SECONDS)
    def wait(self, seconds):
        if self.alive:
            self.kernel.wait(seconds)

    @stateful.rule()
    def tick(self):
        if self.alive:
            self.kernel.tick()

    @stateful.rule(seconds=SECONDS | st.just(100_000.0), flush=st.booleans())
    def jump(self, seconds, flush):
        if self.alive:
            self.kernel.now += seconds
            if flush:
                self.kernel.flush()

    @stateful.rule()
    def turn(self):
        if self.alive:
            self.kernel.flush_together()

    # -- the workers ----------------------------------------------------------

    @stateful.rule(rounds=st.sampled_from([1, 2, 5, 20]), pause=SECONDS)
    def cooperate(self, rounds, pause):
        if self.alive:
            self.kernel.cooperate(rounds, pause)

    @stateful.rule(
        which=WHICH,
        words=st.sampled_from(
            [
                [events.Word.READY],
                [events.Word.LEAVING],
                [events.Word.BEAT],
                [events.Word.READY, events.Word.BEAT],
                [events.Word.READY, events.Word.LEAVING],
            ]
        ),
        rss=st.sampled_from([0, 95 * MIB, 200 * MIB]),
    )
    def say(self, which, words, rss):
        process = self._some(which)
        if process is not None:
            for word in words:
                process.say(word, rss if word is events.Word.BEAT else 0)

    @stateful.rule(which=WHICH, status=STATUS)
    def die(self, which, status):
        process = self._some(which)
        if process is not None:
            process.die(status)

    @stateful.rule(
        which=WHICH, how=st.sampled_from([None, None, "deaf", "stubborn", "frozen"])
    )
    def hang(self, which, how):
        process = self._some(which)
        if process is not None and how is not None:
            process.deaf = True
            setattr(process, how, True)

    @stateful.rule(which=WHICH)
    def reap(self, which):
        process = self._some(which)
        if process is not None:
            self.kernel.flush([process])

    @stateful.rule(times=st.sampled_from([1, 1, 2, 12]))
    def fail_to_fork(self, times):
        if self.alive:
            self.kernel.forks_fail = times

    @stateful.rule(service=st.integers(0, 2), cursed=st.booleans())
    def curse(self, service, cursed):
        if self.alive:
            change = self.kernel.cursed.add if cursed else self.kernel.cursed.discard
            change(service)


def play(seed, examples, steps):
    """So many runs of so many rules each, at most."""
    stateful.run_state_machine_as_test(
        hypothesis.seed(seed)(Machine),
        settings=hypothesis.settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=True,
            report_multiple_bugs=False,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )


@pytest.mark.timeout(120 + STEPS // 500)
def test_whatever_happens_the_supervisor_keeps_its_promises(capsys):
    seed = int(os.environ.get("OSLO_ASYNCIO_MACHINE_SEED", random.randrange(1 << 32)))
    Machine.steps, began = 0, time.perf_counter()
    first = seed
    try:
        while Machine.steps < STEPS:
            play(seed, 50, 100)
            seed += 1
    finally:
        took = time.perf_counter() - began
        with capsys.disabled():
            print(
                f"\n{Machine.steps} steps in {took:.0f} s, "
                f"OSLO_ASYNCIO_MACHINE_SEED={first}"
            )
    assert Machine.steps >= STEPS
