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

"""Trees that do nothing: CPU time and wake-ups, of all at the same time."""

from collections.abc import Sequence
import contextlib
import time

from bench import tree
from bench import usage


def play_all(
    contenders: Sequence[str], seconds: float, settle: float
) -> dict[str, dict[str, float]]:
    with contextlib.ExitStack() as stack:
        trees = {
            name: stack.enter_context(tree.Tree(name, workers=16))
            for name in contenders
        }
        for each in trees.values():
            each.get_ready()
        time.sleep(settle)
        before = {name: usage.of_tree(each.pid) for name, each in trees.items()}
        time.sleep(seconds)
        return {
            name: _used(before[name], usage.of_tree(each.pid), seconds)
            for name, each in trees.items()
        }


def _used(before: usage.Usage, after: usage.Usage, seconds: float) -> dict[str, float]:
    return {
        # a thread that has ended since takes its past with it
        "cpu": max(0, after.cpu - before.cpu) / 1e6,
        "wakeups": max(0, after.switches - before.switches) / seconds,
    }
