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
"""What a worker inherits, and what it must not."""

import os
import pathlib
import signal

# under eventlet the ear is a green socket, which makes eventlet's hub
EARLESS = {"HAS_AN_EAR": ""}


def polls(pid):
    """The epoll objects that a process has open."""
    found = []
    for path in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += ["eventpoll" in os.readlink(path)]
        except FileNotFoundError:
            pass
    return sum(found)


def test_row_34_the_launcher_has_no_epoll_that_a_worker_could_share(grow):
    tree = grow(
        """
        class Reading(Idle):
            async def start(self):
                self.pair = socket.socketpair()
                asyncio.get_running_loop().add_reader(self.pair[0], self.read)

            def read(self):
                tell_all(f"read {self.pair[0].recv(9)}")

            async def reset(self):
                self.pair[1].send(b"data")

        run(Reading(), restart_method="mutate")
        """,
        env=EARLESS,
    )
    workers = tree.meet_all()
    assert polls(tree.pid) == 0
    assert all(polls(worker.pid) for worker in workers)
    tree.program.signal(signal.SIGHUP)
    for _ in workers:
        tree.program.expect("read b'data'")
    assert polls(tree.pid) == 0
    assert tree.stop() == 0


def test_row_34_after_100_deaths_the_launcher_is_what_it_was(grow):
    tree = grow(
        """
        launcher = service.launch(CONF, Idle(), workers=20)
        status = launcher.wait()
        hubs = sys.modules.get("eventlet.hubs")
        say("hub", hubs is not None and hasattr(hubs._threadlocal, "hub"))
        sys.exit(status)
        """,
        env=EARLESS,
    )
    tree.meet_all(20)
    before = len(os.listdir(f"/proc/{tree.pid}/fd"))
    for _ in range(5):
        for worker in list(tree.workers.values()):
            worker.signal(signal.SIGKILL)
        tree.meet_all(20)
    assert len(os.listdir(f"/proc/{tree.pid}/fd")) == before
    assert len(os.listdir(f"/proc/{tree.pid}/task")) == 1
    assert polls(tree.pid) == 0
    assert tree.stop() == 0
    assert tree.program.rest()[-1] == "hub False"
    assert tree.program.stderr.count("starts at once") == 100


def test_each_worker_begins_at_the_same_depth_of_the_stack(grow):
    tree = grow("""
        def work(self, *rest):
            say("depth", len(traceback.extract_stack()))
            real(self, *rest)

        import traceback
        real = service.ProcessLauncher._work
        service.ProcessLauncher._work = work
        run(Idle(), workers=10)
    """)
    tree.meet_all(10)
    depths = [line for line in tree.program.lines if line.startswith("depth")]
    assert len(depths) == 10
    assert len(set(depths)) == 1
    assert tree.stop() == 0


def test_row_35_threads_of_the_launcher_are_named_in_a_warning(grow):
    tree = grow("""
        thread = _unpatched.threading.Thread(
            target=_unpatched.threading.Event().wait, name="chatter", daemon=True
        )
        thread.start()
        run(Idle())
    """)
    tree.meet_all()
    assert tree.stop() == 0
    warning = "Forking workers while other threads run"
    lines = [line for line in tree.program.stderr.splitlines() if warning in line]
    assert len(lines) == 1
    assert lines[0].endswith("threads: chatter")


FORKING = """
from oslo_asyncio._supervisor import process

def child(channel, unmask):
    in_child()
    os._exit(0)

def fork():
    made = process.fork(child, True)
    poll = _unpatched.select.poll()
    poll.register(made.pidfd)
    if not poll.poll(15000):
        made.kill(signal.SIGKILL)
    say("ended", made.reap())

thread = _unpatched.threading.Thread
"""


def test_row_35_a_thread_that_logs_cannot_lock_up_what_is_forked(grow, hub_name):
    # a native thread must not log in a process that eventlet has patched
    chat = "say('chat')" if hub_name == "eventlet" else "logging.info('chat')"
    tree = grow(f"""{FORKING}
def chatter():
    while True:
        {chat}

def in_child():
    logging.info("child")

thread(target=chatter, daemon=True).start()
for _ in range(100):
    fork()
""")
    said = [line for line in tree.program.rest() if line != "chat"]
    assert said == ["ended 0"] * 100
    assert tree.exit() == 0


def test_row_36_fork_waits_for_no_lock_of_a_log_handler(grow):
    tree = grow(f"""{FORKING}
from oslo_asyncio._worker import heartbeat

def hold():
    logging.getLogger().handlers[0].acquire()
    held.set()
    _unpatched.threading.Event().wait()

def in_child():
    say("child")

heartbeat._disarm_at_fork()
held = _unpatched.threading.Event()
thread(target=hold, daemon=True).start()
held.wait()
for _ in range(10):
    fork()
os._exit(0)
""")
    assert tree.program.rest() == ["child", "ended 0"] * 10
    assert tree.exit() == 0


def test_row_37_pools_that_the_launcher_has_used_work_in_a_worker(grow):
    tree = grow("""
        async def use_pools():
            loop = asyncio.get_running_loop()
            return await asyncio.gather(
                executor.run_blocking(len, "abc"),
                asyncio.to_thread(len, "abcd"),
                executor.run_blocking(len, "abcde", pool="mine"),
                loop.run_in_executor(None, len, "abcdef"),
                resolve(loop),
            )

        async def resolve(loop):
            return len(await loop.getaddrinfo("localhost", 80)) > 0

        class Pooled(Idle):
            async def start(self):
                say("worker", *await use_pools())

        executor.add_pool("mine", 1)
        loop = hub.load(CONF).new_event_loop()
        say("launcher", *loop.run_until_complete(use_pools()))
        loop.close()
        run(Pooled())
    """)
    tree.meet_all()
    tree.workers[0].signal(signal.SIGKILL)
    tree.meet()
    said = [line for line in tree.program.lines if "ready" not in line]
    assert said == ["launcher 3 4 5 6 True", *["worker 3 4 5 6 True"] * 3]
    assert tree.stop() == 0
