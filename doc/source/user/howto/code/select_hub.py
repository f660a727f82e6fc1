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

"""A hub on select(2), for whoever cannot use epoll."""

import asyncio
import selectors

from oslo_asyncio import hub


class SelectHub(hub.Hub):
    """Sync code in native threads, as the base class does it."""

    name = "select"

    def new_event_loop(self):
        return asyncio.SelectorEventLoop(selectors.SelectSelector())
