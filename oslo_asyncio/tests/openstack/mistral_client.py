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

"""Starts workflows of mistral over RPC, as it is told on stdin.

How a workflow ends is in the database, which can only be asked again and again.
"""

import sys
import threading

from mistral import config
from mistral import context
from mistral.db.v2 import api
from mistral.rpc import clients
from mistral.services import workflows

_ENDS = ("SUCCESS", "ERROR", "CANCELLED", "PAUSED")

_never = threading.Event()


def say(*words) -> None:
    print(":", *words, flush=True)


def end_of(execution: str) -> str:
    while True:
        with api.transaction(read_only=True):
            found = api.get_workflow_execution(execution)
            if found.state in _ENDS:
                return f"{found.state} {found.state_info or ''}".strip()
        _never.wait(0.05)


def main() -> None:
    config.parse_args(sys.argv[1:])
    api.setup_db()
    context.set_ctx(
        context.MistralContext(
            user_id=None, project_id="<default-project>", auth_token=None, is_admin=True
        )
    )
    engine = clients.get_engine_client()
    say("started")
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        match word:
            case "create":
                workflows.create_workflows(rest)
                say("created")
            case "run":
                say("running", engine.start_workflow(rest, wf_input={})["id"])
            case "end":
                say("ended", end_of(rest))


if __name__ == "__main__":
    main()
