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

"""What the parent does while its workers take two seconds to stop.

The workers are halted: they neither stop nor answer.
"""

import os
import signal
import time

from bench import tree
from bench import usage


def play(contender: str) -> dict[str, float]:
    with tree.Tree(contender, workers=4) as launched:
        launched.get_ready()
        time.sleep(0.5)
        workers = launched.alive()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            before = usage.of(launched.pid).cpu
            launched.signal(signal.SIGTERM)
            time.sleep(2.0)
            return {"parent": (usage.of(launched.pid).cpu - before) / 1e6}
        finally:
            for pid in workers:
                os.kill(pid, signal.SIGCONT)
