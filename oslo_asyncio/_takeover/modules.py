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

"""Which modules of oslo.service ours stand in for, and what is in them.

oslo.service looks for its threading backend in the module
``oslo_service.backend._threading`` and takes 23 components from it, which
``oslo_service.service``, ``.loopingcall`` and ``.threadgroup`` hand on.  So a
program that says ``init_backend(THREADING)`` gets ours, and so does one that
asks for eventlet's: the config file chooses the hub, not the program.
"""

from collections.abc import Callable
import importlib
import os
import signal
import types
from typing import Any

from oslo_asyncio import _terminal

_COMPONENTS = {
    "service": (
        "Launcher",
        "ProcessLauncher",
        "Service",
        "ServiceBase",
        "ServiceLauncher",
        "ServiceWrapper",
        "Services",
        "SignalExit",
        "SignalHandler",
        "Singleton",
        "launch",
    ),
    "loopingcall": (
        "BackOffLoopingCall",
        "DynamicLoopingCall",
        "FixedIntervalLoopingCall",
        "FixedIntervalWithTimeoutLoopingCall",
        "LoopingCallBase",
        "LoopingCallDone",
        "LoopingCallTimeOut",
        "RetryDecorator",
    ),
    "threadgroup": ("Thread", "ThreadGroup"),
}


def components() -> dict[str, Any]:
    """What oslo.service's ``get_component()`` can be asked for: 23 names."""
    found = {
        name: getattr(_ours(module), name)
        for module, names in _COMPONENTS.items()
        for name in names
    }
    found["_is_daemon"] = _terminal.is_daemon
    found["_is_sighup_and_daemon"] = is_sighup_and_daemon
    return found


def is_sighup_and_daemon(signo: int, signal_handler: Any) -> bool:
    """Whether ``signo`` asks a daemon to read its configuration again."""
    supported = signal_handler.is_signal_supported("SIGHUP")
    return bool(supported and signo == signal.SIGHUP and _terminal.is_daemon())


def fill_backend(
    check: Callable[[], None], name: str, module: types.ModuleType
) -> None:
    """Make ``module`` the backend that oslo.service loads as ``name``.

    :param check: called before the components are handed out; raises if this
        process cannot use them.
    """
    base = importlib.import_module("oslo_service.backend.base").BaseBackend

    def get_service_components(_self: object) -> dict[str, Any]:
        check()
        return components()

    class_name = f"{name.capitalize()}Backend"
    members = {
        "__doc__": "oslo.asyncio, as oslo.service asks for it.",
        "__module__": module.__name__,
        "get_service_components": get_service_components,
    }
    vars(module)[class_name] = type(class_name, (base,), members)


def fill(name: str, module: types.ModuleType) -> None:
    """Put what is in our module ``name`` into ``module``."""
    found = vars(_ours(name)).items()
    own = {key: each for key, each in found if key in _LAZY or key[:2] != "__"}
    vars(module).update(own)


#: What makes names of a module when somebody asks for them.
_LAZY = ("__getattr__", "__dir__")

#: Of the program's own choice between threads and eventlet there are four.
_VARIABLES = tuple(
    f"OS_{project}_DISABLE_EVENTLET_PATCHING"
    for project in ("CINDER", "MANILA", "NOVA", "WATCHER")
)


def set_environment(green: bool) -> None:
    """Set what four projects ask before they patch: as the hub needs it."""
    os.environ.update(dict.fromkeys(_VARIABLES, "false" if green else "true"))


def _ours(name: str) -> types.ModuleType:
    return importlib.import_module(f"oslo_asyncio.{name}")
