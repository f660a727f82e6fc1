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

"""The memory of sixteen workers that do nothing, and of their parent."""

import statistics
import time

from bench import tree
from bench import usage


def play(contender: str) -> dict[str, float]:
    with tree.Tree(contender, workers=16) as launched:
        launched.get_ready()
        time.sleep(1.0)
        workers = [usage.pss(pid) for pid in launched.alive()]
        parent = usage.pss(launched.pid)
        return {"worker": statistics.median(workers), "parent": parent}
