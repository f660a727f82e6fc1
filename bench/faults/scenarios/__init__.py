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

"""The scenarios; importing this package enters all of them into the list."""

from bench.faults.scenarios import config
from bench.faults.scenarios import crashes
from bench.faults.scenarios import early_signals
from bench.faults.scenarios import ends
from bench.faults.scenarios import notify
from bench.faults.scenarios import reloads
from bench.faults.scenarios import signals
from bench.faults.scenarios import stops

__all__ = (
    "config",
    "crashes",
    "early_signals",
    "ends",
    "notify",
    "reloads",
    "signals",
    "stops",
)
