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


"""Where oslo.service is told which backend to use.

Here the config file says so, as ``[oslo_asyncio] hub``, and the same program
runs on each.  What projects call in their first lines is accepted: it is the
moment for :func:`oslo_asyncio.hub.setup`.

>>> from oslo_asyncio import backend
>>> backend.init_backend(backend.BackendType.THREADING)
>>> backend.get_backend_type()
<BackendType.THREADING: 'threading'>
"""

from collections.abc import Callable
import enum
import logging

from oslo_asyncio import hub

LOG = logging.getLogger(__name__)


class BackendType(enum.Enum):
    """What oslo.service knows: green threads, or native ones."""

    EVENTLET = "eventlet"
    THREADING = "threading"


def init_backend(type_: BackendType) -> None:
    """Choose the hub from the config files and prepare the process for it.

    As :func:`oslo_asyncio.hub.setup`, which a program that is written for this
    library calls itself.

    :param type_: what the program was written for.  It is not what is used: that
        is in the config file.
    :raises ConfigurationError: the hub that is configured cannot be used.
    """
    chosen = hub.setup()
    LOG.debug("The program asks for %s, and runs on the %s hub", type_, chosen.name)


def get_backend_type() -> BackendType | None:
    """What sync code runs in: green threads, or native ones.

    :returns: None before :func:`init_backend` or :func:`oslo_asyncio.hub.setup`.
    """
    if not hub.is_chosen():
        return None
    if hub.Characteristic.GREEN_STDLIB in hub.current().characteristics:
        return BackendType.EVENTLET
    return BackendType.THREADING


def register_backend_default_hook(hook: Callable[[], BackendType]) -> None:
    """Accepted as oslo.service does, and not used: the config file chooses.

    :param hook: what would choose a backend.
    """
