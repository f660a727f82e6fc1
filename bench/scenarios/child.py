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

"""A contender inside one process, and what it prints."""

import json
import pathlib
import subprocess
import sys
from typing import Any

from bench import rounds
from bench import tree

ROOT = pathlib.Path(__file__).parents[2]


def command(body: str, contender: str, options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of Popen that start it."""
    program = [sys.executable, "-W", "ignore", "-m", "bench.inside"]
    return {
        "args": [*program, body, contender, json.dumps(options)],
        "env": tree.clean_environment(),
        "cwd": ROOT,
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
    }


def run(body: str, contender: str, **options: Any) -> Any:
    """Run it; what it prints.

    :raises NotPlayed: it fails, or takes longer than two minutes.
    """
    pipes = {"stderr": subprocess.PIPE, "timeout": 120}
    try:
        ran = subprocess.run(**command(body, contender, options), **pipes)
        return json.loads(ran.stdout)
    except subprocess.TimeoutExpired:
        raise rounds.NotPlayed("it takes too long") from None
    except ValueError:
        lines = ran.stderr.decode(errors="replace").strip().splitlines()
        raise rounds.NotPlayed((lines or ["no word"])[-1][:100]) from None
