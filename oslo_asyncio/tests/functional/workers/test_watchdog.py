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
"""The watchdog inside a worker, which needs no launcher and no GIL."""

import signal

SHORT = "worker_heartbeat_timeout = 0.5"


def test_row_26_an_orphan_that_holds_the_gil_is_ended_by_its_watchdog(grow):
    tree = grow(
        """
        class Bound(Idle):
            async def reset(self):
                tell_all("bound")
                hold_the_gil()

        run(Bound(), restart_method="mutate")
        """,
        own="worker_heartbeat_timeout = 3",  # or a busy machine is overdue before
    )
    workers = tree.meet_all()
    tree.program.signal(signal.SIGHUP)
    for _ in workers:
        tree.program.wait_for("bound")
    tree.program.signal(signal.SIGKILL)
    assert tree.exit() == -signal.SIGKILL
    assert tree.program.stderr.count("Timeout (") == 2
    assert "in hold_the_gil" in tree.program.stderr


def test_a_service_forks_while_the_watchdog_is_armed(grow):
    tree = grow(
        """
        import faulthandler

        class Forking(Idle):
            def wait(self):
                pid = os.fork()
                if not pid:
                    faulthandler.cancel_dump_traceback_later()
                    sys.exit(5)
                say("child", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                tell_all("ready")

        run(Forking())
        """,
        own=SHORT,
    )
    tree.meet_all()
    assert tree.program.lines.count("child 5") == 2
    assert tree.stop() == 0


def test_the_watchdog_is_armed_again_after_a_fork(grow):
    tree = grow(
        """
        from oslo_asyncio._worker import channel

        class Forking(Idle):
            forked = False

            def wait(self):
                pid = os.fork()
                if not pid:
                    os._exit(0)
                os.waitpid(pid, 0)
                type(self).forked = True

        def beat(self, rss):
            if Forking.forked:
                asyncio.get_running_loop().call_later(0.01, last_turn)

        def last_turn():
            tell_all("bound")
            hold_the_gil()

        channel.Channel.beat = beat
        run(Forking())
        """,
        own=SHORT,
    )
    tree.meet_all(word="bound")
    tree.program.signal(signal.SIGKILL)
    assert tree.exit() == -signal.SIGKILL
    assert tree.program.stderr.count("Timeout (") == 2


def test_a_stderr_without_a_file_is_worth_one_line(grow):
    tree = grow(
        """
        import io

        class Deaf(Idle):
            async def start(self):
                logging.warning("standing")

        sys.stderr = io.StringIO()
        run(Deaf())
        """,
        own=SHORT,
    )
    tree.meet_all()
    assert tree.stop() == 0
    assert tree.program.stderr.count("standing") == 2
    assert tree.program.stderr.count("cannot be dumped: stderr is no file") == 2
