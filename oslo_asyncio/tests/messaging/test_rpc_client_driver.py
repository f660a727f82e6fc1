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

"""An AsyncRPCClient and drivers that it knows, half knows, or does not know."""

import asyncio
import logging

import pytest

from oslo_asyncio import executor
from oslo_asyncio._messaging import client as client_module
from oslo_asyncio._messaging import client_drivers
from oslo_asyncio._messaging import client_metrics
from oslo_asyncio._messaging import client_threads
from oslo_asyncio._messaging import replies
from oslo_asyncio.tests.messaging import peers

messaging = peers.load()

# oslo.messaging's own
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(params=["fake://", "kombu+memory:////"])
def peer(request):
    with peers.Peer(request.param) as made:
        yield made


def driver_of(peer, **attributes):
    """A transport of this peer, whose driver is of a class of its own."""
    transport = peer.transport()
    cls = type(transport._driver)
    transport._driver.__class__ = type("Stranger", (cls,), attributes)
    return transport


class TestUnknownDrivers:
    @pytest.fixture
    def client(self, peer, monkeypatch, caplog):
        monkeypatch.setattr(client_drivers, "_KNOWN", ())
        with caplog.at_level(logging.WARNING):
            return client_module.get_rpc_client(
                driver_of(peer), peer.target, timeout=peers.LIMIT
            )

    def test_the_log_says_so(self, client, caplog):
        said = [each.getMessage() for each in caplog.get_records("setup")]
        start = "The driver Stranger of this oslo.messaging is not known"
        assert [line for line in said if line.startswith(start)]

    def test_calls_and_casts_work(self, loop, client):
        async def main():
            await client.cast({}, "note", what="seen")
            assert await client.call({}, "notes", count=1) == ["seen"]
            calls = [client.call({}, "greet", name=str(n)) for n in range(100)]
            return await asyncio.gather(*calls)

        assert loop.run_until_complete(main()) == [f"hello {n}" for n in range(100)]

    def test_errors_and_timeouts_are_the_same(self, loop, client):
        async def main():
            with pytest.raises((messaging.RemoteError, peers.Refused)):
                await client.call({}, "refuse", reason="no")
            with pytest.raises(messaging.MessagingTimeout):
                await client.prepare(timeout=0.2).call({}, "hold", key="k")
            await client.call({}, "release", key="k")

        loop.run_until_complete(main())

    def test_the_signs_of_life_of_a_long_call_count(self, loop, peer, client):
        if peer.url == "fake://":
            pytest.skip("servers over fake:// give no signs of life")

        async def main():
            watched = client.prepare(call_monitor_timeout=2)
            held = asyncio.create_task(watched.call({}, "hold", key="k"))
            [mailbox] = await until(lambda: mailboxes(client))
            for _ in range(3):  # a second each, and longer than two
                taken = mailbox.unfinished_tasks
                await until(lambda taken=taken: mailbox.unfinished_tasks > taken)
            await client.call({}, "release", key="k")
            return await held

        assert loop.run_until_complete(main()) == "k"

    def test_a_serializer_is_asked_once(self, loop, peer, monkeypatch):
        class Marking(messaging.NoOpSerializer):
            def deserialize_entity(self, ctxt, entity):
                return f"[{entity}]"

        monkeypatch.setattr(client_drivers, "_KNOWN", ())
        client = client_module.get_rpc_client(
            driver_of(peer), peer.target, timeout=peers.LIMIT, serializer=Marking()
        )
        made = client.call({}, "greet", name="Ada")
        assert loop.run_until_complete(made) == "[hello Ada]"

    def test_no_more_calls_wait_than_there_are_threads(self, loop, client):
        async def main():
            silent = client.prepare(topic="none", timeout=1)
            calls = [asyncio.create_task(silent.call({}, "x")) for _ in range(200)]
            ended = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(each) for each in ended} == {messaging.MessagingTimeout}
            return [f.threads for f in executor.figures() if f.name == "rpc_wait"]

        assert all(count <= 64 for count in loop.run_until_complete(main()))


class TestRehearsals:
    def test_a_driver_that_is_known_passes(self, peer):
        assert client_drivers.without_waiting(driver_of(peer)) is not None

    def test_one_that_sends_otherwise_does_not(self, peer):
        def send(self, *args, **options):
            return "a reply"

        assert client_drivers.without_waiting(driver_of(peer, _send=send)) is None

    def test_one_that_needs_what_is_not_known_does_not(self, peer):
        def send(self, *args, **options):
            return self._reply_channel.send(*args, **options)

        assert client_drivers.without_waiting(driver_of(peer, _send=send)) is None

    def test_a_transport_without_a_driver_does_not(self):
        assert client_drivers.without_waiting(object()) is None


class TestStockClients:
    def test_one_on_the_same_transport_works_beside_it(self, loop, hub, peer):
        transport = peer.transport()
        ours = client_module.get_rpc_client(transport, peer.target, timeout=30)
        stock = messaging.get_rpc_client(transport, peer.target, timeout=30)

        async def main():
            blocking = hub.spawn_sync(stock.call, {}, "greet", name="stock")
            return await ours.call({}, "greet", name="ours"), await blocking

        assert loop.run_until_complete(main()) == ("hello ours", "hello stock")


class TestMetrics:
    @pytest.fixture
    def collected(self, monkeypatch):
        """What goes to oslo.metrics, with the seconds left out."""
        module = client_metrics._metrics()
        seen = []

        class Collector:
            def __getattr__(self, name):
                return lambda **facts: seen.append(
                    (name, facts["call_type"], facts.get("exception"))
                )

        monkeypatch.setattr(module.client, "METRICS_COLLECTOR", Collector())
        name = "metrics_enabled"
        peers.cfg.CONF.set_override(name, True, "oslo_messaging_metrics")
        yield seen
        peers.cfg.CONF.clear_override(name, "oslo_messaging_metrics")

    def test_calls_and_casts_are_measured_once_and_whole(self, loop, peer, collected):
        client = client_module.get_rpc_client(
            peer.transport(), peer.target, timeout=peers.LIMIT
        )

        async def main():
            await client.cast({}, "note", what="seen")
            await client.call({}, "notes", count=1)
            with pytest.raises(Exception, match="no"):
                await client.call({}, "refuse", reason="no")

        loop.run_until_complete(main())
        ours = [each for each in collected if each[0].startswith("rpc_client")]
        start = "rpc_client_invocation_start_total"
        kinds = [each[1] for each in ours if each[0] == start]
        assert kinds == ["cast", "call", "call"]
        errors = [each[2] for each in ours if each[2]]
        assert errors == ["Refused" if peer.url == "fake://" else "RemoteError"]


class TestMailboxes:
    def test_a_result_that_comes_before_the_end_is_kept(self):
        delivered = []
        box = replies.Mailbox(lambda *reply: delivered.append(reply))
        box.open(lambda message: message)
        box.put(("result", False))
        box.put((None, True))
        assert delivered == [("result", None, True)]

    def test_a_reply_that_cannot_be_read_is_an_error(self):
        delivered = []
        box = replies.Mailbox(lambda *reply: delivered.append(reply))
        box.open(lambda message: message["result"])
        box.put({})
        [(result, error, ending)] = delivered
        assert (result, type(error), ending) == (None, KeyError, True)

    def test_one_that_was_closed_before_it_was_opened_is_not_left_behind(self):
        boxes = {}
        box = replies.Mailbox(print)
        box.close()
        box.open(print, boxes, "name")
        assert boxes == {}


class TestPendingCalls:
    def test_one_that_ends_leaves_no_timer(self, run):
        async def main():
            with replies.PendingCall(1000, 1000, TimeoutError) as pending:
                pending.sent()
                pending.end("reply")
                assert await pending.wait() == "reply"
            pending.sent()  # said by a thread that was late
            return list(pending._timers.values())

        assert [timer.cancelled() for timer in run(main)] == [True, True]

    def test_a_reply_after_the_loop_has_closed_is_dropped(self, hub):
        async def main():
            return replies.PendingCall(None, 1, TimeoutError)

        loop = hub.new_event_loop()
        pending = loop.run_until_complete(main())
        loop.close()
        pending.mailbox.open(lambda message: message)
        pending.mailbox.put((None, False))
        pending.mailbox.put(("reply", True))


class TestThreads:
    def test_a_call_that_ends_the_loop_first_harms_nobody(self, hub, peer):
        client = client_module.get_rpc_client(
            peer.transport(), peer.target, timeout=peers.LIMIT
        )
        first = hub.new_event_loop()
        held = first.create_task(client.call({}, "hold", key="k"))
        greet = client.call({}, "wait_until_held", key="k")
        first.run_until_complete(greet)
        held.cancel()
        first.run_until_complete(asyncio.wait([held]))
        first.close()
        second = hub.new_event_loop()
        second.run_until_complete(client.call({}, "release", key="k"))
        made = client.call({}, "greet", name="Ada")
        assert second.run_until_complete(made) == "hello Ada"
        second.close()

    def test_the_operator_sizes_the_pool_that_sends(self):
        assert {*client_threads._SIZES} == {"rpc_send", "rpc_wait"}
        assert executor.add_pool(client_threads.SEND, 8).max_threads == 8


def mailboxes(client):
    waiter = client._transport._driver._waiter
    return [] if waiter is None else [*waiter.waiters._queues.values()]


async def until(found):
    async with asyncio.timeout(peers.LIMIT):
        while not (what := found()):
            await asyncio.sleep(0.01)
    return what
