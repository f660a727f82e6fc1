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

"""The asyncio hub: the standard library's loop, sync code in native threads."""

import asyncio

from oslo_asyncio import hub
from oslo_asyncio._hubs import _selector


class AsyncioHub(hub.Hub):
    """The default: nothing but the standard library."""

    name = "asyncio"

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A new loop, in the process and thread that will run it."""
        return _selector.SelectorLoop()
