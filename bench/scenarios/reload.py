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

"""Reloads while new connections come at a steady rate, whoever is slow."""

import signal
import time

from bench import clients
from bench import tree


def play(
    contender: str, reloads: int, rate: float, delay: float = 0.0
) -> dict[str, float]:
    with tree.Tree(contender, workers=4, listens=True, delay=delay) as launched:
        launched.get_ready()
        time.sleep(0.5)
        with clients.Steady(launched.port, rate) as calm:
            time.sleep(2.0)
        with clients.Steady(launched.port, rate) as loaded:
            time.sleep(0.3)
            for _each in range(reloads):
                launched.configure(launched.value + 1)
                launched.signal(signal.SIGHUP)
                launched.get_ready()
                time.sleep(0.7)
        return {
            "failed": loaded.failed,
            "p99": loaded.p99,
            "calm": calm.p99,
            "times": loaded.p99 / calm.p99,
        }
