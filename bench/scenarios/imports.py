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

"""How long a process takes that imports something and ends at once."""

import subprocess
import sys
import time

from bench import tree

WHAT = {
    "its libraries": "import oslo_config.cfg, stevedore, asyncio",
    "ours": "import oslo_asyncio.service",
    "oslo.service": "from oslo_service import service",
}


def play(contender: str) -> dict[str, float]:
    # os._exit: the interpreter's end is no part of a service's start
    command = [sys.executable, "-W", "ignore", "-c"]
    code = f"{WHAT[contender]}; import os; os._exit(0)"
    began = time.perf_counter()
    subprocess.run([*command, code], check=True, env=tree.clean_environment())
    return {"import": (time.perf_counter() - began) * 1e3}
