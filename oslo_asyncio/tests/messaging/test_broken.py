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

"""The connection to the broker breaks in the middle of calls."""

import uuid

from oslo_config import cfg
import pytest

from oslo_asyncio import messaging
from oslo_asyncio.tests.messaging import cable as cable_module
from oslo_asyncio.tests.messaging import peers
from oslo_asyncio.tests.messaging import served

library = peers.load()

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LIMIT = peers.LIMIT


@pytest.fixture
def cable(hub, broker):
    made = cable_module.Cable(broker)
    made.open()
    yield made
    made.close()


@pytest.fixture
def quick():
    """The driver tries again at once: after a second by default, and then two."""
    peers.transport("rabbit://").cleanup()  # which registers these options
    group = "oslo_messaging_rabbit"
    for name in ("rabbit_retry_interval", "rabbit_interval_max"):
        cfg.CONF.set_override(name, 1, group=group)
    cfg.CONF.set_override("kombu_reconnect_delay", 0, group=group)
    yield
    for name in ("rabbit_retry_interval", "rabbit_interval_max"):
        cfg.CONF.clear_override(name, group=group)
    cfg.CONF.clear_override("kombu_reconnect_delay", group=group)


def test_calls_are_answered_although_the_servers_connections_break(
    hub, cable, broker, quick
):
    endpoint = served.Endpoint()
    topic = uuid.uuid4().hex
    target = library.Target(topic=topic, server="here")
    near, far = peers.transport(broker), peers.transport(cable.url)
    server = messaging.get_rpc_server(far, target, [endpoint])
    server.start()
    client = library.get_rpc_client(near, library.Target(topic=topic), timeout=LIMIT)
    try:
        asked = [served.Asked(client.call, {}, "hold", key=key) for key in range(10)]
        begun = {endpoint.begun.get(timeout=LIMIT) for _ in asked}
        assert begun == set(range(10))
        while not cable.connected.empty():
            cable.connected.get()
        cable.cut()
        cable.connected.get(timeout=LIMIT)
        for key in range(10):
            endpoint.let_go(key)
        assert sorted(each.answer() for each in asked) == list(range(10))
        assert endpoint.begun.empty()  # none came a second time
        assert client.call({}, "add", a=1, b=2) == 3
    finally:
        server.stop()
        server.wait()
        near.cleanup()
        far.cleanup()


@pytest.fixture
def between(hub, cable, broker, quick):
    """A server and a client, either of them behind the cable: ``between("client")``."""
    made = []

    def begin(which):
        near, far = peers.transport(broker), peers.transport(cable.url)
        server_side, client_side = (near, far) if which == "client" else (far, near)
        endpoint, topic = served.Endpoint(), uuid.uuid4().hex
        target = library.Target(topic=topic, server="here")
        server = messaging.get_rpc_server(server_side, target, [endpoint])
        server.start()
        made.append((server, near, far))
        target = library.Target(topic=topic)
        client = library.get_rpc_client(client_side, target, timeout=LIMIT)
        other = library.get_rpc_client(near, target, timeout=LIMIT)
        return endpoint, client, other

    yield begin
    for server, near, far in made:
        server.stop()
        server.wait()
        near.cleanup()
        far.cleanup()


#: The driver remembers the last 16.
MANY = 20


def test_a_call_that_is_sent_twice_is_served_once(between, cable):
    endpoint, client, other = between("client")
    assert client.call({}, "add", a=1, b=2) == 3
    cable.hold_back(cable.deaf)  # nor does it hear that the broker has what it sends
    asked = served.Asked(client.call, {}, "hold", key="sent twice")
    assert endpoint.begun.get(timeout=LIMIT) == "sent twice"
    for number in range(MANY):
        assert other.call({}, "add", a=number, b=0) == number
    cable.cut()
    endpoint.let_go("sent twice")
    assert asked.answer() == "sent twice"
    assert client.call({}, "add", a=1, b=2) == 3  # behind what was sent again
    assert endpoint.begun.empty()


def test_calls_whose_acknowledgement_is_lost_are_served_once(between, cable):
    endpoint, client, _other = between("server")
    assert client.call({}, "add", a=1, b=2) == 3
    cable.hold_back(cable.dumb)
    asked = [served.Asked(client.call, {}, "hold", key=key) for key in range(MANY)]
    begun = {endpoint.begun.get(timeout=LIMIT) for _ in asked}
    assert begun == set(range(MANY))
    cable.cut()
    assert client.call({}, "add", a=1, b=2) == 3  # behind what was pushed again
    for key in range(MANY):
        endpoint.let_go(key)
    assert sorted(each.answer() for each in asked) == list(range(MANY))
    assert endpoint.begun.empty()


class Hearer(served.Endpoint):
    """Notifications are held as calls are; the first "again" is requeued."""

    def __init__(self):
        super().__init__()
        self._outcomes = [library.NotificationResult.REQUEUE]

    async def info(self, ctxt, publisher_id, event_type, payload, metadata):
        await self.hold(ctxt, payload)
        if payload == "again" and self._outcomes:
            return self._outcomes.pop()
        return library.NotificationResult.HANDLED


@pytest.fixture
def listen(hub, broker, quick):
    """Listen to one topic: ``listen(url)``; its end is ``close(endpoint)``."""
    target = library.Target(topic=uuid.uuid4().hex)
    near = library.get_notification_transport(cfg.CONF, broker)
    made = {}

    def begin(url):
        transport = library.get_notification_transport(cfg.CONF, url)
        endpoint = Hearer()
        listener = messaging.get_notification_listener(
            transport, [target], [endpoint], allow_requeue=True
        )
        listener.start()
        made[endpoint] = listener, transport
        return endpoint

    def close(endpoint):
        listener, transport = made.pop(endpoint)
        listener.stop()
        listener.wait()
        transport.cleanup()

    begin.close = close
    begin.notifier = library.Notifier(
        near, "here", driver="messagingv2", topics=[target.topic]
    )
    yield begin
    for endpoint in list(made):
        close(endpoint)
    near.cleanup()


def hear(endpoint, count):
    return sorted(endpoint.begun.get(timeout=LIMIT) for _ in range(count))


def test_notifications_at_work_come_again_and_then_are_acknowledged(
    listen, cable, broker
):
    endpoint = listen(cable.url)
    for number in range(MANY):
        listen.notifier.info({}, "event", number)
    assert hear(endpoint, MANY) == [*range(MANY)]
    cable.cut()
    assert hear(endpoint, MANY) == [*range(MANY)]  # at least once
    for number in range(MANY):
        endpoint.let_go(number)
    listen.close(endpoint)
    another = listen(broker)
    listen.notifier.info({}, "event", "last")
    assert another.begun.get(timeout=LIMIT) == "last"
    another.let_go("last")


def test_a_notification_is_requeued_after_a_cut_as_before_it(listen, cable):
    endpoint = listen(cable.url)
    listen.notifier.info({}, "event", "first")
    assert endpoint.begun.get(timeout=LIMIT) == "first"
    cable.cut()
    assert endpoint.begun.get(timeout=LIMIT) == "first"
    endpoint.let_go("first")
    listen.notifier.info({}, "event", "again")
    assert endpoint.begun.get(timeout=LIMIT) == "again"
    endpoint.let_go("again")
    assert endpoint.begun.get(timeout=LIMIT) == "again"
