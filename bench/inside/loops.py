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

"""The loops and hubs that are compared.

``asyncio``, ``uvloop``: a plain loop.  ``ours HUB``: async code on a loop of
this library.  ``epolls``: eventlet alone.  ``ours green``: sync code in green
threads on our eventlet hub.
"""

from collections.abc import Callable
from collections.abc import Coroutine
import os
from typing import Any

GREEN = ("epolls", "ours green")


def prepare(contender: str) -> None:
    """Before anything else is imported: eventlet patches here or not at all."""
    library, _, hub = contender.partition(" ")
    if library == "ours":
        _prepare_ours("eventlet" if hub == "green" else hub)
    elif library == "epolls":
        os.environ["EVENTLET_HUB"] = "epolls"
        import eventlet

        eventlet.monkey_patch()


def _prepare_ours(name: str) -> None:
    os.environ["OSLO_ASYNCIO_HUB"] = name
    from oslo_asyncio import hub

    hub.setup(argv=[])
    from oslo_config import cfg

    conf = cfg.ConfigOpts()
    conf([], default_config_files=[], default_config_dirs=[])
    hub.load(conf)


def run(contender: str, main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run ``main()`` on a loop of the contender."""
    import asyncio

    loop = _new_loop(contender)
    asyncio.set_event_loop(loop)
    return loop.run_until_complete(main())


def _new_loop(contender: str) -> Any:
    if contender == "asyncio":
        import asyncio

        return asyncio.new_event_loop()
    if contender == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    from oslo_asyncio import hub

    return hub.current().new_event_loop()


def run_green(contender: str, func: Callable[[], Any]) -> Any:
    """Call ``func()`` in a green thread."""
    if contender == "epolls":
        return func()
    from oslo_asyncio import hub

    return run(contender, lambda: hub.run_sync(func))
