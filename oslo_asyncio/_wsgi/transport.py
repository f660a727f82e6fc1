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

"""The transport that uvicorn writes to: whole segments, and a gentle end."""

import asyncio
from collections.abc import Callable
from typing import Any


class Transport:
    """A transport that can hold back what is written.

    uvicorn writes the head of a response and its body one after the other.  As
    one write they are one system call, one segment and one TLS record.

    :param real: the transport of the loop.
    :param close: called instead of its close(), when all is written.
    """

    def __init__(
        self, real: asyncio.Transport, close: Callable[[asyncio.Transport], None]
    ) -> None:
        self.real = real
        self._close = close
        self._held: list[bytes] | None = None

    def hold(self) -> None:
        """Write nothing until :meth:`flush`."""
        if self._held is None:
            self._held = []

    def flush(self) -> None:
        """Write what was held back, and hold nothing more."""
        held, self._held = self._held, None
        if held:
            self.real.write(b"".join(held))

    def write(self, data: bytes) -> None:
        """As the transport of the loop."""
        if self._held is None:
            self.real.write(data)
        else:
            self._held.append(data)

    def close(self) -> None:
        """Write everything, and close."""
        self.flush()
        self._close(self.real)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)
