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

"""An AsyncRPCClient against stock servers: calls, casts, errors, time and ends."""

import asyncio
import logging
import threading
import types

import pytest

from oslo_asyncio import executor
from oslo_asyncio._messaging import client as client_module
from oslo_asyncio.tests.messaging import peers
from oslo_asyncio.tests.openstack import rabbitmq

messaging = peers.load()

# oslo.messaging's own
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """The URL of a RabbitMQ."""
    yield from rabbitmq.transport_url(tmp_path_factory.mktemp("rabbitmq"))


@pytest.fixture(scope="module", params=["fake", "memory", "rabbit"])
def url(request):
    if request.param == "rabbit":
        return request.getfixturevalue("broker")
    return {"fake": "fake://", "memory": "kombu+memory:////"}[request.param]


@pytest.fixture(scope="module")
def peer(url):
    with peers.Peer(url) as made:
        yield made


@pytest.fixture(scope="module")
def transport(peer):
    return peer.transport()


@pytest.fixture
def client(transport, peer):
    return client_module.get_rpc_client(transport, peer.target, timeout=peers.LIMIT)


@pytest.fixture
def run(loop):
    """Run an async function on a new loop: ``run(func, *args, **kwargs)``."""
    return lambda func, *args, **kwargs: loop.run_until_complete(func(*args, **kwargs))


@pytest.fixture
def key(request):
    return request.node.name


def mailboxes(client):
    """What the driver keeps for calls in flight."""
    waiter = getattr(client._transport._driver, "_waiter", None)
    return {} if waiter is None else waiter.waiters._queues


class Serializer:
    """Marks what goes out and what comes in, and says in which thread."""

    def __init__(self):
        self.threads = set()

    def serialize_entity(self, ctxt, entity):
        self.threads.add(threading.get_ident())
        return f"<{entity}>"

    def deserialize_entity(self, ctxt, entity):
        self.threads.add(threading.get_ident())
        return f"[{entity}]"

    def serialize_context(self, ctxt):
        return {"user": ctxt.user}

    def deserialize_context(self, ctxt):
        raise AssertionError("a client reads no context")


class Slow(messaging.NoOpSerializer):
    """Serializes nothing until it is told to go on."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self.begun = asyncio.Queue()
        self.go_on = threading.Event()

    def serialize_entity(self, ctxt, entity):
        self._loop.call_soon_threadsafe(self.begun.put_nowait, entity)
        assert self.go_on.wait(peers.LIMIT)
        return entity


class TestCalls:
    def test_a_call_returns_what_the_server_answers(self, run, client):
        assert run(client.call, {}, "greet", name="Ada") == "hello Ada"

    def test_a_call_may_return_nothing(self, run, client):
        assert run(client.call, {}, "nothing") is None

    def test_the_context_arrives(self, run, client):
        assert run(client.call, {"user": "ada"}, "context")["user"] == "ada"

    def test_five_hundred_calls_in_flight_do_not_mix(self, run, client):
        async def main():
            names = [f"n{number}" for number in range(500)]
            calls = [client.call({}, "greet", name=name) for name in names]
            return names, await asyncio.gather(*calls)

        names, answers = run(main)
        assert answers == [f"hello {name}" for name in names]
        assert not mailboxes(client)

    def test_a_call_in_flight_holds_no_thread(self, run, client, key):
        async def main():
            held = [asyncio.create_task(hold(client, key)) for _ in range(40)]
            await client.call({}, "wait_until_held", key=key, count=40)
            figures = executor.figures()
            await client.call({}, "release", key=key)
            assert await asyncio.gather(*held) == [key] * 40
            return [each for each in figures if each.running or each.queued]

        assert run(main) == []

    def test_a_serializer_is_asked_as_by_the_stock_client(self, run, transport, peer):
        serializer = Serializer()
        client = client_module.get_rpc_client(
            transport, peer.target, timeout=peers.LIMIT, serializer=serializer
        )
        ctxt = types.SimpleNamespace(user="ada")
        assert run(client.call, ctxt, "greet", name="Ada") == "[hello <Ada>]"
        # beside the loop, for it may block
        assert threading.get_ident() not in serializer.threads


class TestCasts:
    def test_a_cast_arrives(self, run, client, key):
        async def main():
            await client.cast({}, "note", what=key)
            return await client.call({}, "notes", count=1)

        assert key in run(main)

    def test_a_cast_to_all_servers_arrives(self, run, client, key):
        async def main():
            before = len(await client.call({}, "notes", count=0))
            await client.prepare(fanout=True).cast({}, "note", what=key)
            return await client.call({}, "notes", count=before + 1)

        assert key in run(main)


class TestProperties:
    def test_a_server_can_be_named(self, run, client):
        chosen = client.prepare(server="peer", timeout=peers.LIMIT)
        assert chosen.target.server == "peer"
        assert run(chosen.call, {}, "greet", name="Ada") == "hello Ada"

    def test_what_is_prepared_keeps_the_rest(self, client):
        once = client.prepare(version="1.2")
        twice = once.prepare(namespace="n")
        assert (twice.target.version, twice.target.namespace) == ("1.2", "n")
        assert (client.target.version, twice.timeout) == ("1.0", peers.LIMIT)

    def test_a_version_that_is_none_is_refused(self, client):
        with pytest.raises(messaging.MessagingException, match="Version must"):
            client.prepare(version="one")

    def test_the_cap_says_which_versions_can_be_sent(self, run, transport, peer):
        capped = client_module.get_rpc_client(
            transport, peer.target, version_cap="1.3"
        )
        assert capped.can_send_version()
        assert capped.can_send_version("1.3")
        assert not capped.can_send_version("1.4")
        with pytest.raises(messaging.RPCVersionCapError):
            run(capped.prepare(version="1.4").call, {}, "greet", name="Ada")
        with pytest.raises(messaging.RPCVersionCapError):
            run(capped.prepare(version="1.4").cast, {}, "greet", name="Ada")


class TestErrors:
    def test_an_exception_that_nobody_allows_is_a_remote_error(self, run, client, url):
        expected = peers.Refused if url == "fake://" else messaging.RemoteError
        with pytest.raises(expected, match="no") as caught:
            run(client.call, {}, "refuse", reason="no")
        if expected is messaging.RemoteError:
            assert caught.value.exc_type == "Refused"

    def test_an_exception_of_an_allowed_module_keeps_its_type(self, run, peer):
        allowing = client_module.get_rpc_client(
            peer.transport(allowed_remote_exmods=[peers.__name__]),
            peer.target,
            timeout=peers.LIMIT,
        )
        with pytest.raises(Exception, match="no") as caught:
            run(allowing.call, {}, "refuse", reason="no")
        assert "Refused" in [each.__name__ for each in type(caught.value).mro()]

    def test_a_method_that_is_not_there_is_an_error(self, run, client):
        with pytest.raises((messaging.RemoteError, messaging.NoSuchMethod)):
            run(client.call, {}, "absent")

    def test_a_call_cannot_go_to_all_servers(self, run, client):
        with pytest.raises(messaging.InvalidTarget):
            run(client.prepare(fanout=True).call, {}, "greet", name="Ada")

    def test_a_target_needs_a_topic(self, run, client):
        with pytest.raises(messaging.InvalidTarget):
            run(client.prepare(topic=None).call, {}, "greet", name="Ada")
        assert not mailboxes(client)

    def test_what_cannot_be_sent_is_an_error_and_leaves_nothing(self, run, client):
        with pytest.raises((TypeError, ValueError)):
            run(client.call, {}, "greet", name=object())
        assert not mailboxes(client)


class TestTime:
    def test_a_call_that_takes_too_long_is_a_timeout(self, run, client, key):
        async def main():
            with pytest.raises(messaging.MessagingTimeout, match="'hold' on topic"):
                await client.prepare(timeout=0.2).call({}, "hold", key=key)
            assert not mailboxes(client)
            await client.call({}, "release", key=key)

        run(main)

    def test_asyncio_timeout_ends_a_call(self, run, client, key):
        async def main():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await client.call({}, "hold", key=key)
            assert not mailboxes(client)
            await client.call({}, "release", key=key)

        run(main)

    def test_the_default_is_the_option(self, run, transport, peer, key):
        peers.cfg.CONF.set_override("rpc_response_timeout", 0.2)
        client = client_module.get_rpc_client(transport, peer.target)
        try:
            with pytest.raises(messaging.MessagingTimeout):
                run(client.call, {}, "hold", key=key)
        finally:
            peers.cfg.CONF.clear_override("rpc_response_timeout")
        run(client.prepare(timeout=peers.LIMIT).call, {}, "release", key=key)

    def test_a_server_that_gives_signs_of_life_is_waited_for(
        self, run, client, key, url
    ):
        if url == "fake://":
            pytest.skip("servers over fake:// give no signs of life")

        async def main():
            watched = client.prepare(call_monitor_timeout=2)
            held = asyncio.create_task(hold(watched, key))
            await client.call({}, "wait_until_held", key=key)
            renewed = await signs_of_life(watched, 3)
            await client.call({}, "release", key=key)
            assert await held == key
            return renewed

        assert run(main) == 3  # a second each, and longer than two

    def test_a_server_that_falls_silent_is_not(self, run, client, peer, key):
        async def main():
            # nobody listens to this topic, and so nobody gives signs of life
            silent = client.prepare(topic="none", call_monitor_timeout=0.2)
            with pytest.raises(messaging.MessagingTimeout):
                await silent.call({}, "hold", key=key)

        run(main)


class TestCancelling:
    def test_a_cancelled_call_leaves_nothing_behind(self, run, client, key):
        async def main():
            held = [asyncio.create_task(hold(client, key)) for _ in range(40)]
            await client.call({}, "wait_until_held", key=key, count=40)
            for task in held:
                task.cancel()
            ended = await asyncio.gather(*held, return_exceptions=True)
            assert {type(each) for each in ended} == {asyncio.CancelledError}
            assert not mailboxes(client)
            busy = [each for each in executor.figures() if each.running]
            await client.call({}, "release", key=key)
            return busy

        assert run(main) == []

    def test_one_that_has_not_been_sent_is_not_sent_any_more(
        self, run, transport, peer, client
    ):
        async def main():
            before = len(await client.call({}, "notes", count=0))
            serializer = Slow()
            slow = client_module.get_rpc_client(
                transport, peer.target, timeout=30, serializer=serializer
            )
            calls = [
                asyncio.create_task(slow.call({}, "note", what="slow"))
                for _ in range(200)
            ]
            for _ in range(8):  # as many as threads that send
                await serializer.begun.get()
            for task in calls:
                task.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            serializer.go_on.set()
            await client.call({}, "notes", count=before + 8)
            await client.call({}, "note", what="last")
            notes = await client.call({}, "notes", count=1)
            return notes[before:], mailboxes(slow)

        assert run(main) == (["slow"] * 8 + ["last"], {})

    def test_one_thousand_at_once(self, run, client, key, caplog):
        caplog.set_level(logging.WARNING)

        async def main():
            # idle ones of earlier tests
            before = sum(each.threads for each in executor.figures())
            # nobody serves this topic: all of them wait for a reply
            silent = client.prepare(topic="none")
            held = [asyncio.create_task(hold(silent, key)) for _ in range(1000)]
            await asyncio.sleep(0)
            # sent after them
            await client.call({}, "greet", name="Ada")
            threads = sum(each.threads for each in executor.figures()) - before
            for task in held:
                task.cancel()
            ended = await asyncio.gather(*held, return_exceptions=True)
            assert {type(each) for each in ended} == {asyncio.CancelledError}
            assert threads < 12
            return await client.call({}, "greet", name="Ada")

        assert run(main) == "hello Ada"
        assert not mailboxes(client)
        assert "There could be a leak" not in caplog.text


async def hold(client, key):
    return await client.call({}, "hold", key=key)


async def signs_of_life(client, count):
    """Wait for so many of them to arrive for any call of this client."""
    arrived = asyncio.Queue()
    [mailbox] = mailboxes(client).values()
    read = mailbox._read

    def watching(message):
        found = read(message)
        loop.call_soon_threadsafe(arrived.put_nowait, found)
        return found

    loop = asyncio.get_running_loop()
    mailbox._read = watching
    for _ in range(count):
        assert await arrived.get() == (None, False)
    return count
