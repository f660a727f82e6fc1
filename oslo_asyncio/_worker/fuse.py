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
    """Ends the process from a native thread when the loop cannot."""

    def __init__(self) -> None:
        self._changed = _unpatched.threading.Condition()
        self._at: float | None = None
        self._closed = False
        _unpatched.threading.Thread(
            target=self._burn, name="stop-deadline", daemon=True
        ).start()

    def light(self, seconds: float) -> None:
        """Go off in so many seconds, instead of any other time."""
        with self._changed:
            self._at = _unpatched.time.monotonic() + seconds
            self._changed.notify()

    def close(self) -> None:
        """Never go off."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _burn(self) -> None:
        with self._changed:
            while not self._closed:
                now = _unpatched.time.monotonic()
                if self._at is not None and now >= self._at:
                    break
                self._changed.wait(None if self._at is None else self._at - now)
            if self._closed:
                return
        leave.report("the loop is blocked and graceful_shutdown_timeout is over")
        leave.now(1)
