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

"""A changed option reaches four workers that go on running."""

import signal
import statistics
import time

from bench import tree


def play(contender: str, times: int) -> dict[str, float]:
    with tree.Tree(contender, workers=4, method="mutate") as launched:
        launched.get_ready()
        time.sleep(0.5)
        return {"known": statistics.median(_mutate(launched) for _each in range(times))}


def _mutate(launched: tree.Tree) -> float:
    launched.configure(launched.value + 1)
    began = launched.signal(signal.SIGHUP)
    took = (launched.get_ready() - began) / 1e6
    time.sleep(0.2)
    return took
