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

"""Run an unmodified OpenStack service on this library.

A released program imports oslo.service, and oslo.service loads its backend from
a module that it looks up by name.  Here that name leads to this library, and the
program gets our launcher, looping calls, thread groups and WSGI server on the
hub from its own config file.  No file is changed, and nothing of oslo.service is
replaced but its backends and ``oslo_service.wsgi``.

``oslo-asyncio run`` does all of this from the command line::

    oslo-asyncio run designate-central --config-file /etc/designate/designate.conf

A program that wants it for itself calls, before it imports oslo.service::

    from oslo_asyncio import hub
    from oslo_asyncio import takeover

    hub.setup(project="designate")
    takeover.take_over()
"""

from collections.abc import Sequence
import functools
import importlib.metadata
import logging
import os
import re
import sys
import types
from typing import Any

from oslo_asyncio import _identity
from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module
from oslo_asyncio._takeover import executors
from oslo_asyncio._takeover import finder
from oslo_asyncio._takeover import messaging
from oslo_asyncio._takeover import modules
from oslo_asyncio._takeover import program

__all__ = ("run", "take_over")

LOG = logging.getLogger(__name__)

_NEEDED = "4.3.0"


def take_over(package: str | None = None) -> None:
    """From now on whoever imports oslo.service gets this library.

    Imports nothing of it.  A second call changes nothing.

    :param package: the top-level package of the program, for an error that says
        which of its modules patches a process whose hub needs it unpatched.
    :raises HubNotChosen: :func:`oslo_asyncio.hub.setup` was not called.
    :raises TakenTooLate: oslo.service has a backend already.
    """
    green = _green(hub_module.current())
    if any(isinstance(each, finder.Finder) for each in sys.meta_path):
        return
    # what oslo_service.service, .loopingcall and .threadgroup cannot do without
    backends = {f"oslo_service.backend._{name}" for name in ("eventlet", "threading")}
    loaded = {"oslo_service.wsgi", *backends} & sys.modules.keys()
    if loaded:
        raise exceptions.TakenTooLate(sorted(loaded))
    modules.set_environment(green)
    check = functools.partial(_check, package)
    found = finder.Finder()
    found.before("oslo_service", _check_version)
    found.before("cotyledon", _warn_of_cotyledon)
    for name in ("threading", "eventlet"):
        backend = f"oslo_service.backend._{name}"
        fill = functools.partial(modules.fill_backend, check, name)
        found.instead(backend, fill)
        for part in ("loopingcall", "service", "threadgroup"):
            found.instead(f"{backend}.{part}", functools.partial(modules.fill, part))
    found.instead("oslo_service.wsgi", functools.partial(modules.fill, "wsgi"))
    found.after("oslo_messaging._drivers.base", messaging.extend)
    found.after("oslo_messaging.server", executors.extend)
    sys.meta_path.insert(0, found)


def run(command: str, args: Sequence[str] = (), hub: str | None = None) -> Any:
    """Run a program on this library, in this process, as its script would.

    :param command: the name of a console script of this Python environment, the
        path of a script, or ``module:function``.
    :param args: its command line.
    :param hub: the name of a hub, whatever the config file says.
    :returns: what its ``main()`` returns, for ``sys.exit()``.
    :raises CommandNotFound: there is no such program.
    :raises CommandUnusable: another interpreter's script, or none of Python's.
    :raises ConfigurationError: the hub cannot be used, or the config file not be
        read.
    """
    found = program.find(command)
    if hub is not None:
        installed = hub_module.installed()
        if hub not in installed:
            raise exceptions.HubNotFound(hub, installed, "--hub")
        os.environ[hub_module.ENVIRONMENT] = hub
    sys.argv = [found.path, *args]
    _identity.set_name(found.name)
    _identity.set_title(" ".join((found.name, *args)))
    hub_module.setup(project=found.package)
    take_over(found.package)
    main = found.load_for_good()
    _check(found.package)
    return main()


def _check(package: str | None) -> None:
    """Refuse a program that has patched a process whose hub needs it unpatched.

    :param package: the program's, if it is known.
    :raises HubUnavailable: naming the modules that import eventlet.
    """
    chosen = hub_module.current()
    if _green(chosen) or not _unpatched.patched():
        return
    who = ", ".join(_importers_of_eventlet(package)[:3]) or "it"
    raise exceptions.HubUnavailable(
        chosen.name,
        f"this program knows only eventlet: {who} imported it and patched the "
        f"standard library",
        "set [oslo_asyncio] hub = eventlet",
    )


def _green(chosen: hub_module.Hub) -> bool:
    return hub_module.Characteristic.GREEN_STDLIB in chosen.characteristics


def _importers_of_eventlet(package: str | None) -> list[str]:
    """The modules of a package, or of all, that hold eventlet; the outermost first."""
    eventlet = sys.modules["eventlet"]
    return sorted(
        name
        for name, module in list(sys.modules.items())
        if isinstance(module, types.ModuleType)
        and vars(module).get("eventlet") is eventlet
        and package in (None, name.partition(".")[0])
        and not name.startswith(("oslo_asyncio.", "eventlet."))
    )


def _check_version() -> None:
    try:
        version = importlib.metadata.version("oslo.service")
    except importlib.metadata.PackageNotFoundError:
        return  # what is imported under its name will say so
    if _numbers(version) < _numbers(_NEEDED):
        raise exceptions.OsloServiceTooOld(version, _NEEDED)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:2]]


def _warn_of_cotyledon() -> None:
    LOG.warning(
        "This program uses cotyledon, which oslo-asyncio does not replace: its workers "
        "run as they would without"
    )
