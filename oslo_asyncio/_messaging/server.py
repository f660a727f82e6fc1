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

"""What an RPC server and a notification listener have in common."""

import abc
import asyncio
from collections.abc import Callable
import functools
import logging
import threading
from typing import Any

from oslo_asyncio import _anywhere
from oslo_asyncio import _bridge
from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module
from oslo_asyncio import opts
from oslo_asyncio import service
from oslo_asyncio._messaging import beside
from oslo_asyncio._messaging import calls
from oslo_asyncio._messaging import listening
from oslo_asyncio._messaging import stock

LOG = logging.getLogger(__name__)

#: Threads that send replies.  Each takes a connection to the broker, which brings
#: a thread of its own, and a reply takes it for about a millisecond.
_SENDERS = 8

#: Of the time for a stop this much is left for replies, seconds.
_MARGIN = 2.0


class MessageServer(service.ServiceBase):
    """Takes messages off a transport and serves each in a task of the loop.

    start(), stop() and wait() may be called by a launcher, by sync code, which
    they block, and by async code, which may await what they return.
    """

    def __init__(self, transport: Any, dispatcher: Any, name: str) -> None:
        stock.library().MessageHandlingServer.register(type(self))
        self.conf = transport.conf
        opts.register(self.conf)
        self.conf.register_opts(listening.pool_opts())
        self.transport = transport
        self.dispatcher = dispatcher
        self.listener: Any = None
        self._name = name
        self._turn = threading.Lock()
        self._round: _Round | None = None
        self._sync: beside.Beside
        self._sender: beside.Beside

    def start(self, override_pool_size: int | None = None) -> Any:
        """Begin to take messages.

        :param override_pool_size: threads for sync endpoints, in place of
            ``executor_thread_pool_size``.
        :raises ServerListenError: (oslo.messaging) the driver cannot listen.
        """
        home = _anywhere.home()
        return _beside(lambda: self._start(home, override_pool_size))

    def stop(self) -> Any:
        """Take no more messages; the calls that were begun go on."""
        return _beside(self._stop)

    def wait(self) -> Any:
        """Return when the server was stopped and its last reply has left.

        Calls that still run two seconds before ``graceful_shutdown_timeout`` is
        over are cancelled, and their callers told.
        """
        return _beside(self._wait)

    def reset(self) -> Any:
        """The configuration has changed (SIGHUP)."""

    @abc.abstractmethod
    def _create_listener(self) -> Any: ...

    @abc.abstractmethod
    def _listens_on(self) -> Any: ...

    def _accept(self, message: Any) -> bool:
        """In the driver's thread, before all else: whether it is to be served."""
        return True

    @abc.abstractmethod
    async def _serve(self, message: Any) -> None: ...

    def _start(self, home: _bridge.LoopHome, threads: int | None) -> None:
        with self._turn:
            if self._round is not None and not self._round.stopped.is_set():
                return
            size = threads or self.conf.executor_thread_pool_size
            self._sync = beside.Beside(self._name, size)
            self._sender = beside.Beside(f"{self._name}-reply", _SENDERS)
            listener = self.listener = self._listen()
            limit = self.conf[opts.GROUP].rpc_concurrency
            breathe = functools.partial(listening.breathe, listener)
            self._round = _Round(
                calls.Calls(home, limit, self._serve, breathe), listener
            )
            listener.start(self._on_incoming)

    def _listen(self) -> Any:
        try:
            return self._create_listener()
        except listening.driver_error() as error:
            raised: Exception = stock.library().ServerListenError(
                self._listens_on(), error
            )
            raise raised from error

    def _stop(self) -> None:
        with self._turn:
            current = self._round
            if current is not None and not current.stopped.is_set():
                current.calls.drain(self._seconds_for_calls())
                current.listener.stop()
                current.stopped.set()

    def _wait(self) -> None:
        current = self._round
        if current is not None:
            current.stopped.wait()
            current.calls.join()
            current.clean_up()

    def _on_incoming(self, incoming: Any) -> None:
        """In the driver's thread, for each message."""
        current = self._round
        assert current is not None
        message = incoming[0]
        try:
            current.calls.enter()
            if self._accepted(message):
                current.calls.submit(message)
            else:
                current.calls.leave()
        except exceptions.LoopStopped:
            LOG.error("A message came after the loop had stopped, and is not served")

    def _accepted(self, message: Any) -> bool:
        try:
            return self._accept(message)
        except Exception:
            LOG.exception("Can not acknowledge message. Skip processing")
            return False

    def _seconds_for_calls(self) -> float | None:
        timeout = float(self.conf.graceful_shutdown_timeout)
        return timeout - min(_MARGIN, timeout / 4) if timeout else None


class _Round:
    """From one start of a server to its stop."""

    def __init__(self, taken: calls.Calls, listener: Any) -> None:
        self.calls = taken
        self.listener = listener
        self.stopped = threading.Event()
        self._turn = threading.Lock()
        self._clean = False

    def clean_up(self) -> None:
        with self._turn:
            if not self._clean:
                self._clean = True
                listening.settle(self.listener)
                self.listener.cleanup()


def _beside(func: Callable[[], None]) -> Any:
    """Call it in sync code; in async code begin it beside the loop."""
    if _anywhere.on_loop():
        return hub_module.find().spawn_sync(func)
    return func()


async def until(done: asyncio.Future[Any]) -> None:
    """Wait for it, even when the caller is cancelled: a reply has to leave."""
    while not done.done():
        try:
            await asyncio.wait([done])
        except asyncio.CancelledError:
            pass
    done.result()
