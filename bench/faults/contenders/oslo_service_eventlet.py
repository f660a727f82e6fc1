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

"""oslo.service on its eventlet backend."""

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402

from oslo_service import backend  # noqa: E402

backend.init_backend(backend.BackendType.EVENTLET)

from oslo_service import loopingcall  # noqa: E402
from oslo_service import service  # noqa: E402

from bench.faults.contenders import _green  # noqa: E402
from bench.faults.contenders import _plan  # noqa: E402
from bench.faults.contenders._plan import PLAN  # noqa: E402


class Service(_green.Service, service.ServiceBase):
    """The service, in the shape that oslo.service asks for."""


def main() -> None:
    conf = _plan.configuration()
    listener = _plan.listen()
    _plan.announce(listener)
    if PLAN.looping:
        loopingcall.FixedIntervalLoopingCall(lambda: None).start(interval=0.1)
    launcher = service.launch(
        conf,
        Service(listener, conf),
        # this backend forks when there is more than one, and only then
        workers=1 if PLAN.no_fork else PLAN.workers,
        restart_method=PLAN.method,
    )
    sys.exit(launcher.wait())


if __name__ == "__main__":
    main()
