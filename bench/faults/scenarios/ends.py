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

"""How the launcher's process ends."""

import os
import signal

from bench.faults import verdicts


@verdicts.plays("51")
def broken_pipe(stage: verdicts.Stage) -> verdicts.Verdict:
    """Whoever read stdout and stderr goes away before SIGTERM comes.

    The program has printed a line that is still in its buffer.  Python would
    end with status 120 when it cannot be written.
    """
    reading, writing = os.pipe()
    try:
        run = stage.start(popen={"stdout": writing, "stderr": writing})
        run.get_ready()
    finally:
        os.close(writing)
        os.close(reading)
    run.signal(signal.SIGTERM)
    if run.gone(20) is None:
        return verdicts.broken(f"after 20 s {run.left()} still there")
    return verdicts.decide(run.status == 0, f"status {run.status}")
