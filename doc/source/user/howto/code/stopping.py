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
#
# ruff: noqa: E402

from oslo_asyncio import hub

hub.setup()

import sys
import threading

from oslo_config import cfg

from oslo_asyncio import service


@service.on_worker_exit
def save():
    print("saved", flush=True)


class Stubborn(service.Service):
    def wait(self):
        print("working", flush=True)
        threading.Event().wait()  # for ever: stop() should end it, and does not


cfg.CONF(sys.argv[1:])
sys.exit(service.launch(cfg.CONF, Stubborn()).wait())
