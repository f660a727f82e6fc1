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

"""What SIGTERM, SIGINT and the launcher's stop() do to one process."""

import signal
import time

IDLE = """
class Idle(service.Service):
    async def start(self):
        say("started")

    async def stop(self):
        say("stopped")

sys.exit(service.launch(CONF, Idle()).wait())
"""


def test_row_1_an_idle_loop_stops_within_100_ms_of_sigterm(start):
    program = start(IDLE)
    program.expect("started")
    sent = program.signal(signal.SIGTERM)
    program.expect("stopped")
    assert time.monotonic() - sent < 0.1
    assert program.exit() == 0
