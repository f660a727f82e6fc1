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

"""The last replies and acknowledgements leave before a server has stopped."""

import asyncio
import threading
import types

import pytest

from oslo_asyncio._messaging import listening
from oslo_asyncio._messaging import server
from oslo_asyncio.tests.messaging import peers
from oslo_asyncio.tests.messaging import served

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_a_reply_that_is_leaving_is_waited_for_by_a_call_that_is_cancelled(run):
    async def play():
        sent = asyncio.get_running_loop().create_future()
        replying = asyncio.create_task(server.until(sent))
        for _ in range(2):
            await asyncio.sleep(0)
            replying.cancel()
        await asyncio.sleep(0)
        assert not replying.done()
        assert not sent.cancelled()
        sent.set_result(None)
        await replying

    run(play)


def test_acknowledgements_are_sent_before_the_connection_closes():
    peers.load()
    from oslo_messaging._drivers import amqpdriver

    handler = amqpdriver.MessageOperationsHandler("a listener")
    inner = types.SimpleNamespace(_message_operations_handler=handler)
    listener = types.SimpleNamespace(_poll_style_listener=inner)
    may_go, order = threading.Event(), []

    def acknowledge():
        may_go.wait(peers.LIMIT)
        order.append("acknowledged")

    def settle():
        listening.settle(listener)
        order.append("settled")

    handler.do(acknowledge)
    settling = served.Asked(settle)
    handler.process_in_background()
    may_go.set()
    settling.answer()
    handler.stop()
    assert order == ["acknowledged", "settled"]


def test_a_driver_without_acknowledgements_has_nothing_to_settle():
    listening.settle(types.SimpleNamespace())
