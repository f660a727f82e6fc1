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
"""How the launcher and its workers leave."""

import os
import signal

import pytest


@pytest.mark.parametrize("daemon", [True, False])
def test_row_33_a_thread_of_the_launcher_does_not_keep_it(grow, daemon):
    tree = grow(
        f"""
        def looping_call():
            _unpatched.threading.Event().wait()

        _unpatched.threading.Thread(target=looping_call, daemon={daemon}).start()
        run(Idle())
        """,
        default="graceful_shutdown_timeout = 1",
    )
    tree.meet_all()
    assert tree.stop() == 0
    if daemon:  # and it was not even waited for
        assert "in looping_call" not in tree.program.stderr


def test_row_33_a_thread_of_a_worker_does_not_keep_it(grow):
    tree = grow("""
        class Looping(Idle):
            async def start(self):
                _unpatched.threading.Thread(target=self.looping_call).start()

            def looping_call(self):
                _unpatched.threading.Event().wait()

        run(Looping())
    """)
    tree.meet_all()
    assert tree.stop() == 0


def test_row_33_a_call_that_an_executor_has_begun_is_finished(grow):
    tree = grow("""
        import concurrent.futures

        import threading

        class Working(Idle):
            def start(self):
                self.pool = concurrent.futures.ThreadPoolExecutor()
                self.asked = threading.Event()
                self.pool.submit(self.work)

            def work(self):
                self.asked.wait()
                threading.Event().wait(0.3)  # much longer than leaving takes
                tell_all("worked")

            async def stop(self):
                self.asked.set()

        run(Working())
    """)
    tree.meet_all()
    assert tree.stop() == 0
    assert sum("worked" in line for line in tree.program.rest()) == 2


def test_row_33_one_that_never_ends_is_left_behind_after_the_deadline(grow):
    tree = grow(
        """
        import concurrent.futures
        import threading

        class Hanging(Idle):
            def start(self):
                self.pool = concurrent.futures.ThreadPoolExecutor()
                self.pool.submit(self.hang)

            def hang(self):
                threading.Event().wait()

        run(Hanging())
        """,
        default="graceful_shutdown_timeout = 1",
    )
    tree.meet_all()
    tree.stop()
    assert tree.program.stderr.count("these threads keep the process") == 2


@pytest.mark.parametrize("status", [0, 1])
def test_row_51_the_status_is_kept_when_the_readers_of_both_pipes_have_gone(
    grow, status
):
    reader, writer = os.pipe()
    tree = grow(
        f"""
        class Talking(Idle):
            async def stop(self):
                print("unread", flush=False)
                sys.stderr.write("unread")
                sys.exit({status})

        sys.stdout = open(1, "w", buffering=100000, closefd=False)
        run(Talking())
        """,
        env={"PYTHONUNBUFFERED": ""},
        stderr=writer,
    )
    os.close(writer)
    tree.meet_all()
    os.close(reader)
    tree.program.close_stdout()
    assert tree.stop() == status


def test_row_51_the_launcher_outlives_the_readers_of_its_pipes(grow):
    reader, writer = os.pipe()
    tree = grow("run(Idle())", env={"PYTHONUNBUFFERED": ""}, stderr=writer)
    os.close(writer)
    tree.meet_all()
    os.close(reader)
    tree.workers[0].signal(signal.SIGKILL)
    assert tree.meet().number == 0
    assert tree.stop() == 0


def test_a_worker_that_fails_while_all_stop_is_the_launchers_failure(grow):
    tree = grow("""
        class Failing(Idle):
            async def stop(self):
                if oslo_asyncio.worker_id() == 1:
                    raise LookupError("cannot save")

        run(Failing(), workers=3)
    """)
    tree.meet_all(3)
    assert tree.stop() == 1
    assert tree.program.stderr.count("LookupError: cannot save") == 1


def test_stop_is_called_from_a_thread_of_the_launcher_and_twice(grow):
    tree = grow("""
        def stop():
            hear_natively()
            launcher.stop()
            launcher.stop()

        launcher = service.launch(CONF, Idle(), workers=2)
        _unpatched.threading.Thread(target=stop, daemon=True).start()
        say("status", launcher.wait())
        launcher.stop()
        say("again", launcher.wait())
    """)
    tree.meet_all()
    tree.program.tell()
    assert tree.exit() == 0
    assert tree.program.rest()[2:] == ["status 0", "again 0"]
