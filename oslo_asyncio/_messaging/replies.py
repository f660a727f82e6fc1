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

"""The reply of one call: from the thread that reads it to the loop that waits."""

import asyncio
from collections.abc import Callable
from collections.abc import MutableMapping
from typing import Any

from oslo_asyncio import _completions

#: ``deliver(result, error, ending)``; neither result nor error: a sign of life.
Deliver = Callable[[Any, BaseException | None, bool], None]

#: From what a driver puts into a queue to its result, and whether it is the last.
Read = Callable[[Any], tuple[Any, bool]]

#: What a call returns that has been sent and whose reply goes to its mailbox.
SENT: Any = object()


class Mailbox:
    """Where a driver puts the reply of one call, instead of into a queue.

    :param deliver: is called in the driver's thread.
    :ivar closed: whether nobody waits any more.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._place: tuple[MutableMapping[str, Any], str] | None = None
        self._result: Any = None
        self.closed = False

    def open(
        self,
        read: Read,
        mailboxes: MutableMapping[str, Any] | None = None,
        name: str = "",
    ) -> None:
        """Take replies from now on; in the thread that sends.

        :param read: how this driver's replies are read.
        :param mailboxes: where the driver looks for it, if it does.
        :param name: under which name.
        """
        self._read = read
        if mailboxes is None:
            return
        self._place = mailboxes, name
        mailboxes[name] = self
        if self.closed:  # meanwhile, by the loop, which found nothing to remove
            self._remove()

    def put(self, message: Any) -> None:
        """Take what the driver has read; in its thread, which must not fail."""
        if self.closed:
            return
        try:
            found, ending = self._read(message)
        except Exception as error:
            found, ending = error, True
        if found is not None:
            self._result = found
        # servers before oslo.messaging 5.0 send the result first, then the end
        if ending or found is None:
            result = self._result
            failed = isinstance(result, BaseException)
            self._deliver(
                None if failed else result, result if failed else None, ending
            )

    def close(self) -> None:
        """Take no more replies, and leave nothing behind in the driver."""
        self.closed = True
        self._remove()

    def _remove(self) -> None:
        if self._place is not None:
            mailboxes, name = self._place
            mailboxes.pop(name, None)


class PendingCall:
    """A call that a coroutine waits for; on its loop, unless said otherwise.

    As a context manager it leaves nothing behind: no timer, and no mailbox.

    :param timeout: seconds from now.
    :param silence: seconds that the server may be silent after the message has
        been sent; None: any time.
    :param expired: makes the error for either.
    """

    def __init__(
        self,
        timeout: float | None,
        silence: float | None,
        expired: Callable[[], BaseException],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Any] = self._loop.create_future()
        self._completions = _completions.of(self._loop)
        self._silence = silence
        self._expired = expired
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.mailbox = Mailbox(self._deliver)
        if timeout is not None:
            self._set_timer("timeout", timeout)

    def __enter__(self) -> "PendingCall":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.mailbox.close()
        self._future.cancel()
        for timer in self._timers.values():
            timer.cancel()

    async def wait(self) -> Any:
        """The reply, or the exception that the server has answered with."""
        return await self._future

    def sent(self) -> None:
        """The message is on its way, and the server may be silent for so long."""
        if self._silence is not None and not self._future.done():
            self._set_timer("silence", self._silence)

    def end(self, result: Any, error: BaseException | None = None) -> None:
        """The reply is known otherwise."""
        if self._future.done():
            return
        if error is None:
            self._future.set_result(result)
        else:
            self._future.set_exception(error)

    def _set_timer(self, name: str, seconds: float) -> None:
        if (previous := self._timers.get(name)) is not None:
            previous.cancel()
        self._timers[name] = self._loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        self.end(None, self._expired())

    def _deliver(self, result: Any, error: BaseException | None, ending: bool) -> None:
        """In the driver's thread: wake the loop, once for all replies of a burst."""
        if ending:
            self._completions.post(self._future, result, error)
            return
        try:
            self._loop.call_soon_threadsafe(self.sent)
        except RuntimeError:
            pass  # the loop is closed, and nobody waits
