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

"""An AsyncRPCServer of this process, and stock clients that call it from threads."""

import asyncio
import collections
import queue
import threading

from oslo_asyncio import messaging
from oslo_asyncio.tests.messaging import peers


class Endpoint:
    """Calls of ``hold`` last until they are let go, and nobody waits by the clock.

    :ivar begun: the keys of calls that have begun, in this order.
    """

    def __init__(self):
        self.begun = queue.Queue()
        self.places = {}
        self._gates = collections.defaultdict(asyncio.Event)
        self.most = self._now = 0

    def let_go(self, key):
        # after begun.get(): the loop is known and the gate exists
        self.loop.call_soon_threadsafe(self._gates[key].set)

    async def hold(self, ctxt, key):
        self.loop = asyncio.get_running_loop()
        gate = self._gates[key]
        self._now += 1
        self.most = max(self.most, self._now)
        self.begun.put(key)
        try:
            await gate.wait()
        finally:
            self._now -= 1
        return key

    async def where_async(self, ctxt):
        return {"thread": threading.get_ident(), "loop": running()}

    def where_sync(self, ctxt):
        return {"thread": threading.get_ident(), "loop": running()}

    def hands_on(self, ctxt):
        return self.where_async(ctxt)

    async def add(self, ctxt, a, b):
        return a + b

    async def fail(self, ctxt):
        raise ValueError("no such thing")

    def fail_sync(self, ctxt):
        raise ValueError("no such thing")

    @messaging.expected_exceptions(LookupError)
    async def expected(self, ctxt):
        raise KeyError("declared")

    @messaging.expected_exceptions(LookupError)
    def expected_sync(self, ctxt):
        raise KeyError("declared")

    async def leave(self, ctxt):
        raise SystemExit(3)

    def leave_sync(self, ctxt):
        raise SystemExit(3)

    async def _private(self, ctxt):
        return "seen"


def running():
    """Whether the caller is on a loop."""
    return asyncio._get_running_loop() is not None


class Served:
    """A server that listens, until it is closed."""

    def __init__(self, url, topic, endpoints, version=None, **arguments):
        self.url, self.topic = url, topic
        self._transports = []
        library = peers.load()
        target = library.Target(topic=topic, server="here", version=version)
        self.server = messaging.get_rpc_server(
            self.transport(), target, list(endpoints), **arguments
        )
        self._callers = self.transport()  # one: closing takes rabbit's two seconds
        self.server.start()

    def transport(self):
        made = peers.transport(self.url)
        self._transports.append(made)
        return made

    def client(self, **target):
        library = peers.load()
        wanted = library.Target(topic=self.topic, **target)
        return library.get_rpc_client(self._callers, wanted, timeout=peers.LIMIT)

    def call(self, method, **arguments):
        return self.client().call({}, method, **arguments)

    def begin(self, method, client=None, **arguments):
        """Call it in a thread: the result is wanted later."""
        return Asked((client or self.client()).call, {}, method, **arguments)

    def close(self):
        self.server.stop()
        self.server.wait()
        for made in self._transports:
            made.cleanup()


class Asked:
    """Something that blocks, in a thread."""

    def __init__(self, func, *args, **kwargs):
        self._answer = queue.Queue()
        self._thread = threading.Thread(
            target=self._run, args=(func, args, kwargs), daemon=True
        )
        self._thread.start()

    def _run(self, func, args, kwargs):
        try:
            self._answer.put((func(*args, **kwargs), None))
        except BaseException as error:
            self._answer.put((None, error))

    def answer(self):
        result, error = self._answer.get(timeout=peers.LIMIT)
        self._thread.join()
        if error is not None:
            raise error
        return result
