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

"""What the programs of oslo.asyncio share: all but the service."""

from collections.abc import Callable
from typing import Any

from bench.faults.contenders import _plan
from bench.faults.contenders._plan import PLAN
from oslo_asyncio import service


def run(make: Callable[[Any, Any], service.ServiceBase]) -> int:
    """Launch a service.

    :param make: called with the listening socket and the configuration.
    :returns: the exit status.
    """
    conf = _plan.configuration()
    listener = service.listen("127.0.0.1", 0)
    _plan.announce(listener)
    if PLAN.looping:
        _plan.repeat_in_a_pool()
    launcher = service.launch(
        conf,
        make(listener, conf),
        workers=PLAN.workers,
        restart_method=PLAN.method,
        no_fork=PLAN.no_fork,
    )
    return launcher.wait()
