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

"""What a stock server works in when oslo-asyncio runs its program."""

import textwrap

import pytest

from oslo_asyncio.tests import project

BEGIN = """
import collections, os, queue, sys, threading, warnings
warnings.simplefilter("ignore")
from oslo_config import cfg
import oslo_messaging

cfg.CONF([], default_config_files=[], default_config_dirs=[])
transport = oslo_messaging.get_rpc_transport(cfg.CONF, "fake://")

class Endpoint:
    def where(self, ctxt):
        name = threading.current_thread().name
        return [name.rpartition("-")[0] or name, threading.get_native_id()]

    def leave(self, ctxt):
        raise SystemExit(3)

def serve(endpoint, executor, size=None):
    target = oslo_messaging.Target(topic="orchard", server="here")
    server = oslo_messaging.get_rpc_server(
        transport, target, [endpoint], executor=executor
    )
    server.start(override_pool_size=size)
    return server

def client():
    target = oslo_messaging.Target(topic="orchard")
    return oslo_messaging.get_rpc_client(transport, target, timeout=30)

def native():
    return [name for name in os.listdir("/proc/self/task") if int(name) != os.getpid()]
"""


@pytest.fixture
def probe(tmp_path, hub_name):
    """Run the body of a ``main()`` on the hub; what it prints."""
    orchard = project.Project(tmp_path)

    def probe(body):
        source = BEGIN + textwrap.dedent(body)
        text = "def main():\n" + textwrap.indent(source, "    ")
        orchard.write("probe.py", text)
        return orchard.said("run", "--hub", hub_name, "orchard.probe:main")

    return probe


@pytest.mark.parametrize("name", ["threading", "eventlet", None])
def test_either_name_means_the_threads_of_the_hub(probe, hub_name, name):
    body = f"""
    server = serve(Endpoint(), {name!r})
    where, ident = client().call({{}}, "where")
    print(type(server._work_executor).__module__)
    print(where if ident != os.getpid() else "green")
    server.stop()
    server.wait()
    """
    said = "green" if hub_name == "eventlet" else "messaging"
    assert probe(body) == ["oslo_asyncio._takeover.executors", said]


def test_a_name_that_oslo_messaging_refuses_is_refused(probe):
    body = """
    try:
        serve(Endpoint(), "blocking")
    except oslo_messaging.ExecutorLoadFailure as error:
        print(error.executor)
    """
    assert probe(body) == ["blocking"]


@pytest.mark.parametrize("size", [1, 3])
def test_so_many_calls_run_at_once_as_the_option_says(probe, size):
    body = f"""
    class Counting:
        now = most = ended = 0
        changed = threading.Condition()

        def count(self, ctxt):
            with self.changed:
                self.now += 1
                self.most = max(self.most, self.now)
                self.changed.notify_all()
                # all who may run are there; a further one would be seen
                assert self.changed.wait_for(lambda: self.most == {size}, 30)
                self.changed.wait(0.05)
                self.now -= 1
                self.ended += 1
                self.changed.notify_all()

    cfg.CONF.register_opts(oslo_messaging.server._pool_opts)
    cfg.CONF.set_override("executor_thread_pool_size", {size})
    counting = Counting()
    server = serve(counting, "threading")
    for _ in range(9):
        client().cast({{}}, "count")
    with counting.changed:
        assert counting.changed.wait_for(lambda: counting.ended == 9, 30)
    print(counting.most)
    server.stop()
    server.wait()
    """
    assert probe(body) == [str(size)]


def test_no_thread_before_the_first_call_and_none_after_the_last(probe, hub_name):
    body = """
    before = len(native())
    server = serve(Endpoint(), "threading")
    listening = len(native())
    for _ in range(20):
        client().call({}, "where")
    print(listening - before, len(native()) - listening)
    server.stop()
    server.wait()
    for thread in threading.enumerate():
        if thread.name.startswith("messaging-"):
            thread.join(30)
    print(len(native()) - before)
    """
    threads, left = probe(body)
    listening, working = map(int, threads.split())
    if hub_name == "eventlet":
        assert (listening, working) == (0, 0)
    else:
        assert listening == 1
        # a reply may be back before its thread rests: then the next call has another
        assert 1 <= working < 20
    assert left == "0"


def test_wait_returns_when_the_calls_that_were_begun_have_ended(probe):
    body = """
    class Slow:
        begun, go = threading.Event(), threading.Event()

        def work(self, ctxt):
            self.begun.set()
            self.go.wait()
            threading.Event().wait(0.2)
            print("worked", flush=True)

    server = serve(Slow(), "threading")
    client().cast({}, "work")
    assert Slow.begun.wait(30)
    server.stop()
    Slow.go.set()
    server.wait()
    print("waited")
    try:
        server._work_executor.submit(print)
    except RuntimeError as error:
        print(error)
    """
    refused = "cannot schedule new futures after shutdown"
    assert probe(body) == ["worked", "waited", refused]


def test_a_program_that_ends_without_wait_finishes_its_calls(probe):
    body = """
    class Slow:
        begun = threading.Event()

        def work(self, ctxt):
            self.begun.set()
            threading.Event().wait(0.2)
            print("worked", flush=True)

    server = serve(Slow(), "threading")
    client().cast({}, "work")
    assert Slow.begun.wait(30)
    """
    assert probe(body) == ["worked"]


def test_a_server_can_be_started_again(probe):
    body = """
    server = serve(Endpoint(), "eventlet")
    for _ in range(2):
        client().call({}, "where")
        server.stop()
        server.wait()
        server.start()
    print(len(client().call({}, "where")))
    server.stop()
    server.wait()
    """
    assert probe(body) == ["2"]


def test_an_endpoint_that_leaves_takes_its_thread_but_not_the_server(probe):
    body = """
    server = serve(Endpoint(), "threading", size=1)
    client().cast({}, "leave")
    print(len(client().call({}, "where")))
    server.stop()
    server.wait()
    """
    assert probe(body) == ["2"]


def test_each_call_has_context_variables_of_its_own(probe):
    body = """
    import contextvars
    from oslo_context import context
    kept = contextvars.ContextVar("kept", default="nothing")

    class Remembering:
        def remember(self, ctxt, what):
            before = kept.get()
            kept.set(what)
            made = context.RequestContext(request_id=f"req-{what}")
            return [before, context.get_current().request_id]

    server = serve(Remembering(), "threading", size=1)
    for what in "apples", "pears":
        print(*client().call({}, "remember", what=what))
    server.stop()
    server.wait()
    """
    assert probe(body) == ["nothing req-apples", "nothing req-pears"]


def test_a_notification_listener_works_in_them_as_well(probe, hub_name):
    body = """
    class Listening:
        heard = queue.Queue()

        def info(self, ctxt, publisher, event, payload, metadata):
            self.heard.put((event, threading.get_native_id() == os.getpid()))

    notify = oslo_messaging.get_notification_transport(cfg.CONF, "fake://")
    server = oslo_messaging.get_notification_listener(
        notify, [oslo_messaging.Target(topic="news")], [Listening()],
        executor="eventlet",
    )
    server.start()
    notifier = oslo_messaging.Notifier(
        notify, "orchard", driver="messaging", topics=["news"]
    )
    notifier.info({}, "ripe", {})
    print(*Listening.heard.get(timeout=30))
    print(type(server._work_executor).__module__)
    server.stop()
    server.wait()
    """
    assert probe(body) == [
        f"ripe {hub_name == 'eventlet'}",
        "oslo_asyncio._takeover.executors",
    ]


def test_a_forked_child_has_neither_the_threads_nor_the_calls(probe):
    body = """
    class Holding:
        begun, go = threading.Event(), threading.Event()

        def hold(self, ctxt):
            self.begun.set()
            self.go.wait()

    server = serve(Holding(), "threading", size=1)
    client().cast({}, "hold")
    assert Holding.begun.wait(30)
    child = os.fork()
    if not child:
        executor = server._work_executor
        executor.submit(print, "child", flush=True).result(30)
        executor.shutdown()  # does not wait for the parent's call
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
    Holding.go.set()
    server.stop()
    server.wait()
    """
    assert probe(body) == ["child", "0"]


def test_a_child_that_an_endpoint_forks_ends_by_sys_exit(probe):
    body = """
    class Forking:
        def fork(self, ctxt):
            child = os.fork()
            if not child:
                sys.exit(5)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    server = serve(Forking(), "threading")
    print(client().call({}, "fork"))
    server.stop()
    server.wait()
    """
    assert probe(body) == ["5"]


def test_a_size_of_none_is_refused(probe):
    body = """
    from oslo_asyncio._takeover import executors
    try:
        executors.Executor(max_workers=0)
    except ValueError as error:
        print(error)
    """
    [line] = probe(body)
    assert line.startswith("executor_thread_pool_size is 0: without a thread")


def test_futurist_is_not_imported_for_it(probe, hub_name):
    body = """
    server = serve(Endpoint(), "eventlet")
    client().call({}, "where")
    server.stop()
    server.wait()
    print("futurist" in sys.modules)
    """
    assert probe(body) == ["False"]


def test_an_oslo_messaging_that_is_built_otherwise_is_left_alone(probe):
    body = """
    import logging, types
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    from oslo_asyncio._takeover import executors
    executors.extend(types.ModuleType("server"))
    """
    assert probe(body) == [
        "This oslo.messaging is not known to oslo-asyncio: its servers work in "
        "threads of their own"
    ]
