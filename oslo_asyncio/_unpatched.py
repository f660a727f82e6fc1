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

"""The standard library as it is without eventlet's patches.

A native thread, an epoll object or a blocking read has to be the real thing
even in a process whose standard library is green.  Each attribute of this
module is such a module: ``_unpatched.threading.Thread`` is a kernel thread in
every process.

The question is asked at each access and not at import: a program may import
this package first and patch later.
"""

import importlib
import sys
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import _thread as _thread
    import os as os
    import select as select
    import socket as socket
    import threading as threading
    import time as time

_NAMES = frozenset({"_thread", "os", "select", "socket", "threading", "time"})


def patched() -> bool:
    """Whether eventlet has patched the threads of this process.

    It imports nothing: a process that has not loaded eventlet is answered
    from ``sys.modules``.
    """
    patcher = sys.modules.get("eventlet.patcher")
    return patcher is not None and bool(patcher.is_monkey_patched("thread"))


def current_greenlet() -> object:
    """The green thread that the caller is in; None in an unpatched process."""
    return sys.modules["greenlet"].getcurrent() if patched() else None


def __getattr__(name: str) -> types.ModuleType:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if patched():
        original: types.ModuleType = sys.modules["eventlet.patcher"].original(name)
        return original
    return sys.modules.get(name) or importlib.import_module(name)
