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

"""A notification listener with async and sync methods."""

import queue

import pytest

from oslo_asyncio import messaging
from oslo_asyncio.tests.messaging import peers
from oslo_asyncio.tests.messaging import served

library = peers.load()

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LIMIT = peers.LIMIT


class Endpoint:
    """Answers with what it was told to, message by message.

    :ivar seen: (priority, event type, payload, on the loop), as they came.
    """

    def __init__(self, *outcomes):
        self.seen = queue.Queue()
        self._outcomes = list(outcomes)

    async def info(self, ctxt, publisher_id, event_type, payload, metadata):
        return self._note("info", event_type, payload)

    def error(self, ctxt, publisher_id, event_type, payload, metadata):
        return self._note("error", event_type, payload)

    def _note(self, *what):
        self.seen.put((*what, served.running()))
        outcome = self._outcomes.pop(0) if self._outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def next(self):
        return self.seen.get(timeout=LIMIT)


@pytest.fixture
def listen(hub, url, topic):
    """Listen with endpoints; returns a notifier for what they listen to."""
    made = []

    def begin(*endpoints, **arguments):
        from oslo_config import cfg

        transport = library.get_notification_transport(cfg.CONF, url)
        listener = messaging.get_notification_listener(
            transport, [library.Target(topic=topic)], endpoints, **arguments
        )
        listener.start()
        made.append((listener, transport))
        return library.Notifier(
            transport, "here", driver="messagingv2", topics=[topic]
        )

    begin.made = made
    yield begin
    for listener, transport in made:
        listener.stop()
        listener.wait()
        transport.cleanup()


def test_an_async_method_runs_on_the_loop_and_a_sync_one_beside_it(listen):
    endpoint = Endpoint()
    notifier = listen(endpoint)
    notifier.info({}, "begun", {"n": 1})
    assert endpoint.next() == ("info", "begun", {"n": 1}, True)
    notifier.error({}, "failed", {"n": 2})
    assert endpoint.next() == ("error", "failed", {"n": 2}, False)


@pytest.mark.parametrize("priority", ["info", "error"])
@pytest.mark.parametrize(
    "outcome",
    [library.NotificationResult.REQUEUE, ValueError("not now")],
    ids=["asked", "failed"],
)
def test_a_message_that_is_requeued_comes_again(listen, priority, outcome):
    endpoint = Endpoint(outcome)
    notifier = listen(endpoint, allow_requeue=True)
    getattr(notifier, priority)({}, "event", "payload")
    first, second = endpoint.next(), endpoint.next()
    assert first == second


@pytest.mark.parametrize("priority", ["info", "error"])
def test_without_requeue_a_method_that_fails_has_had_its_message(listen, priority):
    endpoint = Endpoint(ValueError("never"))
    notifier = listen(endpoint)
    send = getattr(notifier, priority)
    send({}, "first", "payload")
    send({}, "second", "payload")
    assert [endpoint.next()[1], endpoint.next()[1]] == ["first", "second"]


def test_a_filter_rule_chooses(listen):
    endpoint = Endpoint()
    endpoint.filter_rule = library.NotificationFilter(event_type="^wanted$")
    notifier = listen(endpoint)
    notifier.info({}, "unwanted", None)
    notifier.info({}, "wanted", None)
    assert endpoint.next()[1] == "wanted"


def test_the_second_endpoint_has_its_turn_after_the_first(listen):
    first, second = Endpoint(), Endpoint()
    notifier = listen(first, second)
    notifier.info({}, "event", None)
    second.next()
    first.seen.get_nowait()


def test_a_serializer_works_on_context_and_payload(listen):
    class Serializer(library.NoOpSerializer):
        def deserialize_entity(self, ctxt, entity):
            return f"{entity} beside the loop: {not served.running()}"

    endpoint = Endpoint()
    listen(endpoint, serializer=Serializer()).info({}, "event", "payload")
    assert endpoint.next()[2] == "payload beside the loop: True"


def test_what_was_done_is_acknowledged_when_the_listener_has_stopped(listen):
    endpoint = Endpoint()
    notifier = listen(endpoint)
    for number in range(20):
        notifier.info({}, "event", number)
    assert {endpoint.next()[2] for _ in range(20)} == set(range(20))
    listener, _transport = listen.made[0]
    listener.stop()
    listener.wait()
    listener.start()
    notifier.info({}, "event", "the next")
    assert endpoint.next()[2] == "the next"
