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

"""Endpoints with async and sync methods, against stock clients."""

import logging
import threading

import pytest

from oslo_asyncio import exceptions
from oslo_asyncio import messaging
from oslo_asyncio import service
from oslo_asyncio._messaging import rpc
from oslo_asyncio.tests.messaging import peers
from oslo_asyncio.tests.messaging import served

library = peers.load()

# oslo.messaging's own
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LIMIT = peers.LIMIT


@pytest.fixture
def endpoint():
    return served.Endpoint()


@pytest.fixture
def server(serve, endpoint):
    return serve(endpoint)


def remote_type(error):
    """The type that the endpoint raised, whether or not the driver keeps it."""
    return getattr(error, "exc_type", type(error).__name__)


def test_an_async_method_runs_on_the_loop(server):
    assert server.call("where_async")["loop"]


def test_a_sync_method_runs_beside_the_loop(server, hub_name):
    place = server.call("where_sync")
    assert not place["loop"]
    if hub_name != "eventlet":
        assert place["thread"] != server.call("where_async")["thread"]


def test_a_sync_method_that_hands_on_a_coroutine_is_awaited(server):
    assert server.call("hands_on")["loop"]


def test_arguments_arrive_and_the_result_comes_back(server):
    assert server.call("add", a=1, b=2) == 3


def test_a_launcher_takes_it_for_a_service_and_oslo_messaging_for_a_server(server):
    assert isinstance(server.server, service.ServiceBase)
    assert isinstance(server.server, library.MessageHandlingServer)


def test_oslo_messagings_own_function_makes_one(url, topic, hub, endpoint):
    transport = peers.transport(url)
    target = library.Target(topic=topic, server="here")
    made = library.get_rpc_server(
        transport, target, [endpoint], server_cls=messaging.AsyncRPCServer
    )
    assert isinstance(made, messaging.AsyncRPCServer)
    transport.cleanup()


def test_no_thread_is_held_while_coroutines_wait(server, endpoint):
    asked = [server.begin("hold", key=key) for key in range(20)]
    for _ in asked:
        endpoint.begun.get(timeout=LIMIT)
    ours = [t for t in threading.enumerate() if server.topic in t.name]
    for key in range(20):
        endpoint.let_go(key)
    assert sorted(each.answer() for each in asked) == list(range(20))
    assert ours == []


def test_calls_of_a_client_run_at_the_same_time(server, endpoint):
    first, second = (server.begin("hold", key=key) for key in "ab")
    for _ in "ab":
        endpoint.begun.get(timeout=LIMIT)
    endpoint.let_go("b")
    assert second.answer() == "b"
    endpoint.let_go("a")
    assert first.answer() == "a"


def test_a_cast_is_served_and_answered_with_nothing(server, endpoint):
    server.client().cast({}, "hold", key="cast")
    assert endpoint.begun.get(timeout=LIMIT) == "cast"
    endpoint.let_go("cast")


def errors_of_ours(caplog):
    # a driver of an earlier test may still try to reach a broker that never was there
    ours = [r for r in caplog.records if r.name.startswith("oslo_asyncio")]
    return [r for r in ours if r.levelno >= logging.ERROR]


@pytest.mark.parametrize("method", ["fail", "fail_sync"])
def test_an_exception_reaches_the_caller_with_its_type(server, method, caplog):
    with pytest.raises(ValueError, match="no such thing"):
        server.call(method)
    [record] = [r for r in caplog.records if r.name == rpc.__name__]
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is ValueError


@pytest.mark.parametrize("method", ["expected", "expected_sync"])
def test_an_expected_exception_reaches_the_caller_and_is_no_error(
    server, method, caplog
):
    with pytest.raises(KeyError, match="declared"):
        server.call(method)
    assert not errors_of_ours(caplog)


@pytest.mark.parametrize("method", ["leave", "leave_sync"])
def test_an_endpoint_that_exits_ends_its_call_and_not_the_server(server, method):
    with pytest.raises(Exception, match="SystemExit") as raised:
        server.call(method)
    assert remote_type(raised.value) == "EndpointExit"
    assert server.call("add", a=1, b=1) == 2


@pytest.mark.parametrize("method", ["nothing_like_it", "_private"])
def test_what_is_no_method_or_a_private_one_is_refused(server, method):
    with pytest.raises(Exception, match=method) as raised:
        server.call(method)
    assert remote_type(raised.value) == "NoSuchMethod"


def test_a_method_that_may_be_missing_is_no_error(server, caplog):
    with pytest.raises(Exception, match="ignore_errors"):
        server.call("missing_ignore_errors")
    assert not errors_of_ours(caplog)


def test_a_version_that_no_endpoint_has_is_refused(serve, endpoint):
    endpoint.target = library.Target(version="1.3")
    made = serve(endpoint)
    assert made.client(version="1.2").call({}, "add", a=1, b=2) == 3
    with pytest.raises(Exception, match=r"2\.0") as raised:
        made.client(version="2.0").call({}, "add", a=1, b=2)
    assert remote_type(raised.value) == "UnsupportedVersion"


def test_a_namespace_chooses_the_endpoint(serve, endpoint):
    class Other:
        target = library.Target(namespace="other")

        async def add(self, ctxt, a, b):
            return "other"

    made = serve(endpoint, Other())
    assert made.client(namespace="other").call({}, "add", a=1, b=2) == "other"
    assert made.call("add", a=1, b=2) == 3


def test_an_access_policy_decides(serve):
    class Endpoint:
        @library.expose
        async def shown(self, ctxt):
            return "shown"

        async def hidden(self, ctxt):
            return "hidden"

    made = serve(Endpoint(), access_policy=library.ExplicitRPCAccessPolicy)
    assert made.call("shown") == "shown"
    with pytest.raises(Exception, match="hidden") as raised:
        made.call("hidden")
    assert remote_type(raised.value) == "NoSuchMethod"


class Serializer(library.NoOpSerializer):
    """What a project's serializer does; it may block, and so is kept off the loop."""

    def serialize_entity(self, ctxt, entity):
        return f"out({entity},{ctxt},{served.running()})"

    def deserialize_entity(self, ctxt, entity):
        return f"in({entity},{ctxt},{served.running()})"

    def deserialize_context(self, ctxt):
        return f"context({served.running()})"


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_serializer_works_on_context_arguments_and_result(serve, kind):
    class Endpoint:
        async def async_echo(self, ctxt, what):
            return what

        def sync_echo(self, ctxt, what):
            return what

    made = serve(Endpoint(), serializer=Serializer())
    context = "context(False)"
    echoed = f"out(in(x,{context},False),{context},False)"
    assert made.call(f"{kind}_echo", what="x") == echoed


def test_a_decorator_for_sync_methods_on_an_async_one_is_refused(hub, topic):
    class Endpoint:
        @library.expected_exceptions(KeyError)
        async def boot(self, ctxt):
            raise KeyError

    target = library.Target(topic=topic, server="here")
    with pytest.raises(exceptions.ExpectedExceptionsOfSync, match=r"Endpoint\.boot"):
        messaging.get_rpc_server(peers.transport("fake://"), target, [Endpoint()])


def test_a_target_without_a_server_is_refused_when_it_starts(hub, topic):
    made = messaging.get_rpc_server(
        peers.transport("fake://"), library.Target(topic=topic), []
    )
    with pytest.raises(library.InvalidTarget):
        made.start()


def test_async_code_awaits_start_stop_and_wait(hub, run, url, topic, endpoint):
    transport = peers.transport(url)
    target = library.Target(topic=topic, server="here")
    made = messaging.get_rpc_server(transport, target, [endpoint])
    client = library.get_rpc_client(transport, target, timeout=LIMIT)

    async def serve():
        await made.start()
        result = await hub.spawn_sync(client.call, {}, "add", a=1, b=2)
        await made.stop()
        await made.wait()
        return result

    assert run(serve) == 3
    transport.cleanup()


def test_a_long_call_of_a_client_that_monitors_it_is_kept_alive(
    serve, url, endpoint, monkeypatch
):
    if url == "fake://":
        pytest.skip("this driver has no heartbeats")
    from oslo_messaging._drivers import amqpdriver

    made = serve(endpoint)
    sent = threading.Semaphore(0)
    send = amqpdriver.AMQPIncomingMessage.heartbeat

    def heartbeat(self):
        send(self)
        sent.release()

    monkeypatch.setattr(amqpdriver.AMQPIncomingMessage, "heartbeat", heartbeat)
    client = made.client().prepare(call_monitor_timeout=2)
    asked = made.begin("hold", client, key="long")
    endpoint.begun.get(timeout=LIMIT)
    for _ in range(3):  # one per second: without them it ends after two
        assert sent.acquire(timeout=LIMIT)
    endpoint.let_go("long")
    assert asked.answer() == "long"
