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


"""A program that chooses a backend of oslo.service, with the package renamed."""

RENAMED = """
from oslo_asyncio import backend
from oslo_asyncio.backend import exceptions

assert backend.get_backend_type() is None
backend.register_backend_default_hook(lambda: backend.BackendType.EVENTLET)
try:
    for _twice in range(2):
        backend.init_backend(backend.BackendType.THREADING)
except exceptions.BackendAlreadySelected:
    raise

import sys
import threading

from oslo_asyncio.backend._threading import loopingcall  # as neutron does
from oslo_asyncio import service
from oslo_config import cfg


class Polling(service.Service):
    def start(self):
        loopingcall.FixedIntervalLoopingCall(self.poll).start(interval=60)

    def poll(self):
        kind = type(threading.current_thread()).__name__
        print(backend.get_backend_type().name, kind, flush=True)
        launcher.stop()


cfg.CONF(sys.argv[1:])
launcher = service.launch(cfg.CONF, Polling(), workers=None)
sys.exit(launcher.wait())
"""


def test_it_runs_on_the_hub_of_the_config_file(start, hub_name):
    program = start(RENAMED, preamble=False)
    green = hub_name == "eventlet"
    said = program.next_line().split()
    assert said[0] == ("EVENTLET" if green else "THREADING")
    assert (said[1] == "Thread") is not green
    assert program.exit() == 0


def test_a_hub_that_is_not_there_is_one_sentence(start):
    program = start(RENAMED, preamble=False, env={"OSLO_ASYNCIO_HUB": "gevent"})
    assert program.exit() == 1
    assert program.stderr.startswith("hub 'gevent' is not installed; installed: ")
