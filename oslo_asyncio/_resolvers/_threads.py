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

"""The system's own resolver, in a pool of native threads."""

import asyncio
from typing import Any

from oslo_asyncio import _unpatched
from oslo_asyncio import executor
from oslo_asyncio import resolver


class ThreadResolver(resolver.Resolver):
    """``socket.getaddrinfo`` and ``getnameinfo`` in the pool ``resolver``.

    It honours everything that the host is set up with (hosts file, nsswitch,
    mDNS, the search list), and costs a thread per distinct look-up in flight.
    """

    def _ask(self, asked: Any, method: str, args: tuple[Any, ...]) -> Any:
        """Let the pool's answer reach who waits in one turn of the loop."""
        if type(self) is not ThreadResolver:
            return super()._ask(asked, method, args)
        look_up = getattr(_unpatched.socket, method)
        return executor.get_pool("resolver").answer(asked, look_up, args)

    def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> asyncio.Future[Any]:
        """As ``socket.getaddrinfo``, as a future of the loop."""
        args = (host, port, family, type, proto, flags)
        look_up = _unpatched.socket.getaddrinfo
        return executor.get_pool("resolver").submit(self.loop, look_up, args)

    def getnameinfo(self, sockaddr: Any, flags: int = 0) -> asyncio.Future[Any]:
        """As ``socket.getnameinfo``, as a future of the loop."""
        look_up = _unpatched.socket.getnameinfo
        return executor.get_pool("resolver").submit(
            self.loop, look_up, (sockaddr, flags)
        )
