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

"""Web services: an HTTP server for WSGI and ASGI applications, and their parts.

The names are oslo.service's.  Importing this module imports none of the
libraries behind them: uvicorn comes with the first :class:`Server`, paste.deploy
with the first :class:`Loader`, Routes and WebOb when :class:`Router` or
:class:`Request` is asked for.  ``pip install 'oslo.asyncio[wsgi]'`` installs all
of them.
"""

import copy
from typing import Any
from typing import TYPE_CHECKING

from oslo_config import cfg

from oslo_asyncio import _wsgi_options
from oslo_asyncio import exceptions
from oslo_asyncio._wsgi import loader
from oslo_asyncio._wsgi import server

if TYPE_CHECKING:
    from oslo_asyncio._wsgi.routing import Request
    from oslo_asyncio._wsgi.routing import Router

__all__ = (
    "ConfigNotFound",
    "InvalidInput",
    "Loader",
    "PasteAppNotFound",
    "Request",
    "Router",
    "Server",
    "list_opts",
    "register_opts",
)

ConfigNotFound = exceptions.ConfigNotFound
InvalidInput = exceptions.InvalidInput
Loader = loader.Loader
PasteAppNotFound = exceptions.PasteAppNotFound
Server = server.Server

# they live in private modules, and nobody should have to know which
for _public in (Loader, Server):
    _public.__module__ = __name__


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """The options for oslo-config-generator."""
    return [(None, copy.deepcopy(_wsgi_options.wsgi_opts))]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; :class:`Server` and :class:`Loader` do so as well.

    :param conf: the configuration of the program.
    """
    _wsgi_options.register_wsgi(conf)


def __getattr__(name: str) -> Any:
    if name not in ("Request", "Router"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from oslo_asyncio._wsgi import routing
    except ImportError as error:
        raise exceptions.LibraryMissing(
            f"oslo_asyncio.wsgi.{name}", "wsgi", error
        ) from None
    found = getattr(routing, name)
    found.__module__ = __name__
    globals()[name] = found
    return found
