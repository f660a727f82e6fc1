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

"""One contender in this process: ``python -m bench.inside BODY CONTENDER JSON``.

Prints one line of JSON, or serves until it is killed.
"""

import importlib
import json
import os
import sys

from bench.inside import loops


def main(body: str, contender: str, options: str) -> None:
    loops.prepare(contender)
    module = importlib.import_module(f"bench.inside.{body}")
    found = module.run(contender, **json.loads(options))
    os.write(1, json.dumps(found).encode() + b"\n")
    os._exit(0)  # not one thread or timer by one


if __name__ == "__main__":
    main(*sys.argv[1:])
