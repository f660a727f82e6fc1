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

"""An AsyncRPCClient whose connections break, and one without a service around it."""

import asyncio
import re
import threading

import pytest

from oslo_asyncio import _unpatched
from oslo_asyncio import messaging as ours
from oslo_asyncio.tests.messaging import peers
from oslo_asyncio.tests.messaging import relay

messaging = peers.load()

# oslo.messaging's own
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def peer(broker):
    with peers.Peer(broker) as made:
        yield made


class TestConnectionsThatBreak:
    def test_each_call_ends_with_a_reply_or_a_timeout(self, run, hub, peer):
        async def main():
            async with relay.Relay(peer.url) as between:
                transport = await hub.spawn_sync(peers.transport, between.url)
                through = ours.get_rpc_client(transport, peer.target, timeout=10)
                direct = ours.get_rpc_client(
                    peer.transport(), peer.target, timeout=peers.LIMIT
                )
                held = [
                    asyncio.create_task(through.call({}, "hold", key="k"))
                    for _ in range(40)
                ]
                await direct.call({}, "wait_until_held", key="k", count=40)
                assert between.cut()
                await direct.call({}, "release", key="k")
                greeted = [
                    asyncio.create_task(through.call({}, "greet", name="Ada"))
                    for _ in range(40)
                ]
                ended = await asyncio.gather(*held, *greeted, return_exceptions=True)
                waiter = transport._driver._waiter
                left = dict(waiter.waiters._queues)
                again = await through.call({}, "greet", name="again")
                await hub.spawn_sync(transport.cleanup)
                return ended, left, again

        ended, left, again = run(main)
        kinds = {
            "timeout" if isinstance(each, messaging.MessagingTimeout) else each
            for each in ended
        }
        assert kinds <= {"k", "hello Ada", "timeout"}
        # what the server answered while there was no connection is there after it
        assert ended[:40] == ["k"] * 40
        assert (left, again) == ({}, "hello again")

    def test_a_broker_that_goes_is_said_after_the_retries(self, run, hub, peer):
        async def main():
            async with relay.Relay(peer.url) as between:
                transport = await hub.spawn_sync(peers.transport, between.url)
                client = ours.get_rpc_client(transport, peer.target, retry=0)
                await client.cast({}, "note", what="it works")
            for _ in range(10):  # the first may get as far as the kernel's buffer
                try:
                    await client.cast({}, "note", what="it does not")
                except messaging.MessageDeliveryFailure:
                    return True
            return False

        assert run(main)

    def test_one_that_never_was_there_is_the_error_of_the_stock_client(self, run):
        with _unpatched.socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            transport = peers.transport(f"rabbit://guest:guest@127.0.0.1:{port}/")
            target = messaging.Target(topic="none")
            stock = messaging.get_rpc_client(transport, target, retry=0)
            with pytest.raises(Exception, match="Errno 111") as expected:
                stock.cast({}, "greet")
            client = ours.get_rpc_client(transport, target, timeout=30, retry=0)
            with pytest.raises(type(expected.value)):
                run(client.cast, {}, "greet")

    def test_a_call_to_it_times_out_while_it_is_being_sent(self, run, hub):
        with _unpatched.socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            transport = peers.transport(f"rabbit://guest:guest@127.0.0.1:{port}/")
            target = messaging.Target(topic="none")
            client = ours.get_rpc_client(transport, target, timeout=0.5, retry=2)

            async def main():
                calls = [asyncio.create_task(client.call({}, "x")) for _ in range(100)]
                return await asyncio.gather(*calls, return_exceptions=True)

            ended = run(main)
        assert {type(each) for each in ended} == {messaging.MessagingTimeout}


class TestWithoutAService:
    def test_a_plain_asyncio_run_is_enough(self, hub_name, peer):
        if hub_name == "eventlet":
            pytest.skip("green threads run on the loop of the eventlet hub only")
        client = ours.get_rpc_client(
            peer.transport(), peer.target, timeout=peers.LIMIT
        )

        async def main():
            calls = [client.call({}, "greet", name=str(n)) for n in range(100)]
            return await asyncio.gather(*calls)

        assert asyncio.run(main()) == [f"hello {n}" for n in range(100)]

    def test_threads_are_few_and_have_names(self, hub_name, peer):
        if hub_name == "eventlet":
            pytest.skip("green threads have no names")
        client = ours.get_rpc_client(
            peer.transport(), peer.target, timeout=peers.LIMIT
        )
        others = {*threading.enumerate()}

        async def main():
            silent = client.prepare(topic="none")
            calls = [asyncio.create_task(silent.call({}, "x")) for _ in range(1000)]
            await asyncio.sleep(0)
            await client.call({}, "greet", name="Ada")  # sent after them
            names = [each.name for each in {*threading.enumerate()} - others]
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            return names

        names = {re.split(r"[-_]\d", name)[0] for name in asyncio.run(main())}
        # the driver's are one that reads replies, and one for each connection
        assert names <= {"rpc_send", "Thread", "Rabbit-heartbeat"}
