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

"""Name look-ups of green code, by the same resolver as the loop's.

eventlet would use greendns, a resolver of its own with its own opinion of the
host's set-up, or its thread pool; both are replaced.
"""

import os
import socket
from typing import Any

from eventlet import tpool
import eventlet.green.socket

from oslo_asyncio import _bridge
from oslo_asyncio import _unpatched
from oslo_asyncio import hub


def install() -> None:
    """Replace the look-ups of the patched socket module."""
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "getnameinfo"):
        function = globals()[name]
        setattr(socket, name, function)
        setattr(eventlet.green.socket, name, function)
    os.register_at_fork(after_in_child=forget_pool)


def forget_pool() -> None:
    """Let the next look-up without a loop make a new pool of threads.

    In a forked process those of its parent are not there, and it would wait for
    them for ever.
    """
    tpool._setup_already = False
    tpool._threads.clear()


def getaddrinfo(
    host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> Any:
    """As ``socket.getaddrinfo``; blocks the calling green thread only."""
    hints = {"family": family, "type": type, "proto": proto, "flags": flags}
    return _ask("getaddrinfo", host, port, **hints)


def getnameinfo(sockaddr: Any, flags: int) -> Any:
    """As ``socket.getnameinfo``; blocks the calling green thread only."""
    return _ask("getnameinfo", sockaddr, flags)


def gethostbyname(host: str) -> str:
    """As ``socket.gethostbyname``; blocks the calling green thread only."""
    found = getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    return str(found[0][4][0])


def gethostbyname_ex(host: str) -> tuple[str, list[str], list[str]]:
    """As ``socket.gethostbyname_ex``, without aliases."""
    found = getaddrinfo(
        host, None, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_CANONNAME
    )
    return found[0][3] or host, [], [entry[4][0] for entry in found]


def _ask(name: str, *args: Any, **kwargs: Any) -> Any:
    home = _bridge.home()
    native = getattr(_unpatched.socket, name)
    if home is not None and not home.on_native_thread():
        return native(*args, *kwargs.values())  # a native thread may block
    if home is None or home.on_loop():
        # No loop to ask, or a coroutine that blocks the loop anyway: the
        # other green threads go on.
        return tpool.execute(native, *args, *kwargs.values())
    return hub.run_async(getattr(home.loop, name), *args, **kwargs)
