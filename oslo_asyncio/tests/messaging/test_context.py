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

"""Each call has its own request context, although all run in one thread."""

import asyncio
import logging
import queue

from oslo_context import context
import pytest

from oslo_asyncio import executor
from oslo_asyncio import hub as hub_module
from oslo_asyncio._messaging import context as context_module
from oslo_asyncio.tests.messaging import peers
from oslo_asyncio.tests.messaging import served

library = peers.load()

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LIMIT = peers.LIMIT
CALLS = 500


def current():
    """What oslo.context, and with it each line of oslo.log, takes for the request."""
    found = context.get_current()
    return found and found.request_id


class Contexts(library.NoOpSerializer):
    """Makes the request's context of what was sent, as the projects' own do."""

    def serialize_context(self, ctxt):
        return ctxt.to_dict()

    def deserialize_context(self, ctxt):
        return context.RequestContext.from_dict(ctxt)


class Endpoint:
    """Calls meet in the middle: none goes on before the last one has come."""

    def __init__(self, expected):
        self.seen = queue.Queue()
        self._left = expected
        self._all = asyncio.Event()

    async def meet(self, ctxt):
        self._left -= 1
        if not self._left:
            self._all.set()
        seen = [current()]
        await self._all.wait()
        seen.append(current())
        seen.append(await asyncio.create_task(later()))
        seen.append(await hub_module.run_sync(current))
        seen.append(await executor.run_blocking(current))
        self.seen.put((ctxt.request_id, seen))

    def meet_sync(self, ctxt):
        self.seen.put((ctxt.request_id, [current()]))

    def fail(self, ctxt):
        raise ValueError(ctxt.request_id)


async def later():
    await asyncio.sleep(0)
    return current()


def requests(count):
    for number in range(count):
        yield context.RequestContext(request_id=f"req-{number}", overwrite=False)


@pytest.fixture
def client(serve):
    def of(endpoint):
        made = serve(endpoint, serializer=Contexts())
        stock = made.client()
        stock.serializer = Contexts()
        return stock

    return of


def test_500_interleaved_coroutines_never_mix(client, options):
    options(rpc_concurrency=CALLS)
    endpoint = Endpoint(CALLS)
    caller = client(endpoint)
    for request in requests(CALLS):
        caller.cast(request, "meet")
    found = [endpoint.seen.get(timeout=LIMIT) for _ in range(CALLS)]
    assert len({mine for mine, _ in found}) == CALLS
    for mine, seen in found:
        assert seen == [mine] * 5


def test_sync_methods_have_theirs(client):
    endpoint = Endpoint(1)
    caller = client(endpoint)
    for request in requests(50):
        caller.cast(request, "meet_sync")
    for _ in range(50):
        mine, seen = endpoint.seen.get(timeout=LIMIT)
        assert seen == [mine]


def test_the_log_of_a_failed_call_has_its_request(client):
    lines = queue.Queue()

    class Handler(logging.Handler):
        def emit(self, record):
            lines.put((record.getMessage(), current()))

    handler = Handler(logging.ERROR)
    logging.getLogger("oslo_asyncio").addHandler(handler)
    try:
        [request] = requests(1)
        with pytest.raises(ValueError, match="req-0"):
            client(Endpoint(1)).call(request, "fail")
    finally:
        logging.getLogger("oslo_asyncio").removeHandler(handler)
    assert lines.get(timeout=LIMIT) == ("Exception during message handling", "req-0")


def test_a_thread_does_not_see_the_request_of_another():
    context_module.install()
    context.RequestContext(request_id="req-mine")
    try:
        assert served.Asked(current).answer() is None
        assert current() == "req-mine"
    finally:
        del context._request_store.context
    assert current() is None


def test_what_was_the_request_before_stays_it(monkeypatch):
    class Store:
        context = "before"

    monkeypatch.setattr(context, "_request_store", Store())
    context_module.install()
    try:
        assert context.get_current() == "before"
    finally:
        del context._request_store.context
    with pytest.raises(AttributeError):
        del context._request_store.context


def test_an_oslo_context_that_is_not_known_is_left_alone(monkeypatch, caplog):
    monkeypatch.delattr(context, "_request_store")
    context_module.install()
    assert "does not tell concurrent coroutines apart" in caplog.text
