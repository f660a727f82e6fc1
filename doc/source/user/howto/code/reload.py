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

from oslo_config import cfg

from oslo_asyncio import service

CONF = cfg.CONF
CONF.register_opts(
    [
        cfg.StrOpt("greeting", default="hello", mutable=True),
        cfg.StrOpt("restart_method", choices=["reload", "mutate"], default="reload"),
        cfg.IntOpt("workers", default=1, min=1),
    ]
)


class Greeter(service.Service):
    def start(self):
        print("start:", CONF.greeting, flush=True)

    def stop(self):
        print("stop", flush=True)

    def reset(self):
        print("reset:", CONF.greeting, flush=True)


CONF(sys.argv[1:])
launcher = service.launch(CONF, Greeter(), CONF.workers, CONF.restart_method)
sys.exit(launcher.wait())
