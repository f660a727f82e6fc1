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

"""SIGKILL for one worker of four, again and again."""

import os
import signal
import statistics
import time

from bench import tree


def play(contender: str, kills: int) -> dict[str, float]:
    with tree.Tree(contender, workers=4) as launched:
        launched.get_ready()
        return {"back": statistics.median(_kill(launched) for _each in range(kills))}


def _kill(launched: tree.Tree) -> float:
    time.sleep(0.3)  # a death, not a crash loop
    victim = launched.alive()[0]
    known = set(launched.ready())
    began = time.monotonic_ns()
    os.kill(victim, signal.SIGKILL)
    launched.get_ready(len(known) + 1)
    [new] = set(launched.ready()) - known
    return (launched.ready()[new].ns - began) / 1e6
