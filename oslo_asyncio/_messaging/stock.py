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

"""oslo.messaging, found and imported so that its oslo.service is this library.

``import oslo_messaging`` imports ``oslo_service.service``, and that selects a
backend: eventlet's, if nobody has chosen.  So the choice is made before.
"""

import contextlib
import functools
import importlib
import sys
import types
from typing import Any

from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module
from oslo_asyncio import takeover
from oslo_asyncio._messaging import context
from oslo_asyncio._takeover import messaging


def prepare() -> None:
    """Let oslo.service be this library, unless the program has chosen otherwise.

    Imports nothing of oslo.messaging or oslo.service.
    """
    if not hub_module.is_chosen():
        if _unpatched.patched():
            return  # by a program that runs on eventlet without this library
        hub_module.find()
    with contextlib.suppress(exceptions.TakenTooLate):
        takeover.take_over()


@functools.cache
def library() -> types.ModuleType:
    """oslo.messaging, with listeners that lose no call when they stop.

    :raises ModuleNotFoundError: it is not installed.
    """
    prepare()
    found = importlib.import_module("oslo_messaging")
    base: Any = sys.modules["oslo_messaging._drivers.base"]
    if base.PollStyleListenerAdapter.stop.__module__ != messaging.__name__:
        messaging.extend(base)  # it was imported before we were
    context.install()
    return found
