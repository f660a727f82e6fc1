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

"""cotyledon, with its glue for oslo.config."""

from typing import Any

import cotyledon
from cotyledon import oslo_config_glue

from bench.faults.contenders import _plan
from bench.faults.contenders import _threads
from bench.faults.contenders._plan import PLAN


class Worker(cotyledon.Service):
    """Runs the service in cotyledon's thread."""

    def __init__(self, worker_id: int, *arguments: Any) -> None:
        super().__init__(worker_id)
        self.service = _threads.Service(*arguments)

    def run(self) -> None:
        self.service.start()
        self.service.wait()

    def terminate(self) -> None:
        self.service.stop()


class MutatingWorker(Worker):
    """Stays on SIGHUP; cotyledon leaves that to the application."""

    def reload(self) -> None:
        self.service.reset()


def main() -> None:
    conf = _plan.configuration()
    listener = _plan.listen()
    _plan.announce(listener)
    manager = cotyledon.ServiceManager()
    oslo_config_glue.setup(manager, conf, reload_method=PLAN.method)
    worker = MutatingWorker if PLAN.method == "mutate" else Worker
    manager.add(worker, workers=PLAN.workers, args=(listener, conf))
    if PLAN.looping:
        _plan.repeat_in_a_pool()
    if PLAN.close_listener:
        manager.register_hooks(on_terminate=listener.close)
    manager.run()


if __name__ == "__main__":
    main()
