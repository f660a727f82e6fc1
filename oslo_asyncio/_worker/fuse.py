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

"""The deadline of a stop, kept by somebody who is not stuck."""

from oslo_asyncio import _unpatched
from oslo_asyncio._worker import leave


class Fuse:
    """Ends the process from a native thread when the loop cannot.

    It is lit by the signal handler itself: a loop that is blocked when SIGTERM
    comes would never light it.  So nothing here takes a lock that the
    interrupted code may hold, and the thread is started by the raw call; those
    of the threading module take such locks.
    """

    def __init__(self) -> None:
        self._at: float | None = None
        self._burning = False
        self._closed = False
        self._gate = _unpatched.threading.Lock()
        self._gate.acquire()

    def light(self, seconds: float) -> None:
        """Go off in so many seconds; a time that is set already can only shrink."""
        at = _unpatched.time.monotonic() + seconds
        if self._at is None or at < self._at:
            self._at = at
        if self._burning:
            self._wake()
        else:
            self._burning = True
            _unpatched._thread.start_new_thread(self._burn, ())

    def close(self) -> None:
        """Never go off."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        try:
            self._gate.release()
        except RuntimeError:
            pass  # it is awake already

    def _burn(self) -> None:
        while not self._closed:
            assert self._at is not None
            left = self._at - _unpatched.time.monotonic()
            if left <= 0:
                leave.report("graceful_shutdown_timeout is over, the loop is blocked")
                leave.now(1)
            self._gate.acquire(timeout=left)
