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

"""This library; the hub is the argument."""


import os
import sys

from bench.programs import _plan

os.environ["OSLO_ASYNCIO_HUB"] = sys.argv[1]

from oslo_asyncio import hub

if sys.argv[1] == "eventlet":
    hub.setup(argv=[])  # it patches, so it comes before the other imports

from oslo_config import cfg

from bench.programs import _answer
from oslo_asyncio import service

_plan.say("imported")


class Answer(service.Service):
    """The service of all contenders."""

    def __init__(self, conf, listener) -> None:
        super().__init__()
        self.conf = conf
        self.server = _answer.Server(listener)

    async def start(self) -> None:
        await self.server.start()
        _plan.say("ready", self.conf.value)

    async def stop(self) -> None:
        await self.server.stop()

    async def reset(self) -> None:
        _plan.say("ready", self.conf.value)


def main() -> int:
    hub.setup(argv=[])
    conf = cfg.ConfigOpts()
    conf.register_opt(cfg.IntOpt("value", mutable=True))
    files = {"default_config_files": [_plan.CONFIG], "default_config_dirs": []}
    conf([], project="bench", **files)
    made = Answer(conf, _plan.listen())
    return service.launch(conf, made, _plan.WORKERS, _plan.METHOD).wait()


if __name__ == "__main__":
    sys.exit(main())
