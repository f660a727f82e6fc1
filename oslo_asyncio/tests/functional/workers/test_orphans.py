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
"""Workers whose launcher has been killed."""

import signal
import time

import pytest

from oslo_asyncio.tests.functional.program import fastest

PLACES = {
    "main thread": "run(Idle())",
    # where the kernel's own signal for orphans cannot be used
    "thread": """
launcher = service.launch(CONF, Idle(), workers=2)
_unpatched.threading.Thread(target=launcher.wait, daemon=True).start()
hear_natively()
""",
}


@pytest.mark.parametrize("place", PLACES)
def test_row_26_workers_stop_gracefully_when_their_launcher_is_killed(grow, place):
    def orphaning():
        tree = grow(PLACES[place])
        workers = tree.meet_all()
        sent = tree.program.signal(signal.SIGKILL)
        assert tree.exit() == -signal.SIGKILL
        passed = time.monotonic() - sent
        assert sorted(tree.program.rest()) == [
            f"stopped {worker.number} {worker.pid}" for worker in workers
        ]
        assert "Traceback" not in tree.program.stderr
        return passed

    assert fastest(orphaning, 0.5) < 1


def test_row_26_workers_inside_start_end_with_their_launcher(grow):
    tree = grow("""
        class Starting(Idle):
            async def start(self):
                tell_all("starting")
                await asyncio.Event().wait()

        run(Starting())
    """)
    workers = tree.meet_all(word="starting")
    tree.program.signal(signal.SIGKILL)
    assert tree.exit() == -signal.SIGKILL
    assert sorted(tree.program.rest()) == [
        f"stopped {worker.number} {worker.pid}" for worker in workers
    ]


def test_row_26_orphans_that_cannot_stop_end_at_their_own_deadline(grow):
    tree = grow(
        """
        class Stuck(Idle):
            async def stop(self):
                await self.never_ends()

            async def never_ends(self):
                await asyncio.Event().wait()

        run(Stuck())
        """,
        default="graceful_shutdown_timeout = 1",
    )
    workers = tree.meet_all()
    tree.program.signal(signal.SIGKILL)
    assert tree.exit() == -signal.SIGKILL
    assert tree.program.stderr.count("in never_ends") == len(workers)
