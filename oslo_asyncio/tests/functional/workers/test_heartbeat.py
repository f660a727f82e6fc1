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
"""Workers whose loop does not turn."""

import signal
import subprocess

import pytest

SHORT = "worker_heartbeat_timeout = 1"

BLOCKS = {
    "a call that sleeps": "_unpatched.time.sleep(600)",
    "C code that holds the GIL": "hold_the_gil()",
    "a regular expression": "re.match('(a+)+$', 'a' * 100 + 'b')",
}


@pytest.mark.parametrize("what", BLOCKS)
def test_row_22_a_blocked_loop_is_noticed_named_and_replaced(grow, what):
    tree = grow(
        f"""
        import re

        class Blocking(Idle):
            async def reset(self):
                await self.blocks_the_loop()

            async def blocks_the_loop(self):
                {BLOCKS[what]}

        run(Blocking(), restart_method="mutate")
        """,
        own=SHORT,
    )
    blocked, other = tree.meet_all()
    blocked.signal(signal.SIGHUP)
    fresh = tree.meet()
    assert (fresh.number, fresh.pid != blocked.pid) == (0, True)
    assert not other.has_ended()
    assert tree.stop() == 0
    text = tree.program.stderr
    assert f"(pid {blocked.pid}) has been silent for 1 s: SIGABRT" in text
    assert "in blocks_the_loop" in text


def test_row_22_sync_code_and_blocking_calls_are_no_blocked_loop(grow):
    tree = grow(
        """
        class Working(Idle):
            async def wait(self):
                self.loop = asyncio.get_running_loop()
                self.calls = [
                    asyncio.ensure_future(hub.run_sync(hear)),
                    asyncio.ensure_future(executor.run_blocking(hear_natively)),
                ]
                await asyncio.sleep(2 * CONF.oslo_asyncio.worker_heartbeat_timeout)
                tell_all("ready")
                tell_all("blocked")

        run(Working())
        """,
        own=SHORT,
    )
    workers = tree.meet_all()
    for _ in range(2 * len(workers)):
        tree.program.tell()
    assert tree.stop() == 0
    assert "SIGABRT" not in tree.program.stderr


def test_row_21_a_slow_start_is_not_taken_for_a_blocked_loop(grow):
    tree = grow(
        """
        class Slow(Idle):
            async def start(self):
                timeout = CONF.oslo_asyncio.worker_heartbeat_timeout
                while time.process_time() < 1.5 * timeout:
                    pass

        run(Slow())
        """,
        own=SHORT,
    )
    tree.meet_all()
    assert tree.stop() == 0
    assert tree.program.stderr.count("has started") == 2
    assert "SIGABRT" not in tree.program.stderr


def test_a_start_that_never_returns_has_a_deadline_of_its_own(grow):
    tree = grow(
        """
        restarts._FIRST = 0.01

        class Stuck(Idle):
            async def start(self):
                tell_all("starting")
                if oslo_asyncio.worker_id() == 1:
                    self.never_returns()

            def never_returns(self):
                while True:
                    pass

        run(Stuck())
        """,
        default="graceful_shutdown_timeout = 1",
        own="worker_start_timeout = 1",
    )
    healthy = tree.meet()
    tree.logged("starting 1", 2)
    assert not healthy.has_ended()
    assert tree.stop() == 1
    assert "is not ready after 1 s: SIGABRT" in tree.program.stderr
    assert "in never_returns" in tree.program.stderr


def test_row_23_a_stopped_launcher_blocks_no_worker_and_kills_none(grow):
    tree = grow(
        """
        from oslo_asyncio._worker import channel

        def many(self, rss):
            for _ in range(500):  # as if it were stopped for hours
                beat(self, rss)
            tell_all("beat")

        beat = channel.Channel.beat
        channel.Channel.beat = many
        run(Idle())
        """,
        own=SHORT,
        stderr=subprocess.STDOUT,
    )

    def beats(count):
        """So many of each worker."""
        left = dict.fromkeys(tree.workers, count)
        while any(left.values()):
            word, number, *_rest = tree.program.next_line().split()
            if word == "beat":
                left[int(number)] = max(0, left[int(number)] - 1)

    workers = tree.meet_all()
    tree.logged("2 of 2 workers are ready")
    tree.program.signal(signal.SIGSTOP)
    beats(12)  # three times as long as they may be silent
    tree.program.signal(signal.SIGCONT)
    beats(6)
    assert not any(worker.has_ended() for worker in workers)
    assert tree.stop() == 0
    tree.program.rest()
    assert not any("silent" in line for line in tree.program.lines)
