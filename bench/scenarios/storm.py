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

"""SIGKILL for all sixteen workers, and once more as soon as they are back."""

import os
import signal
import time

from bench import tree


def play(contender: str) -> dict[str, float]:
    with tree.Tree(contender, workers=16) as launched:
        launched.get_ready()
        time.sleep(0.5)
        return {"first": _storm(launched), "again": _storm(launched)}


def _storm(launched: tree.Tree) -> float:
    known = len(launched.ready())
    victims = launched.alive()
    began = time.monotonic_ns()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    last = launched.get_ready(known + len(victims), seconds=60)
    return (last - began) / 1e6
