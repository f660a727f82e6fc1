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

"""mistral, as its operators set it up, on SQLite and RabbitMQ."""

import json
import pathlib
import shutil
import subprocess
import sys

from oslo_asyncio.tests.openstack import service

_CONFIG = """\
[DEFAULT]
debug = {debug}
use_stderr = True
transport_url = {transport_url}
graceful_shutdown_timeout = 10
rpc_response_timeout = 20
[oslo_asyncio]
hub = {hub}
[database]
connection = sqlite:///{folder}/mistral.sqlite
[api]
host = 127.0.0.1
port = 0
[pecan]
auth_enable = False
[engine]
host = 127.0.0.1
[executor]
host = 127.0.0.1
[cron_trigger]
run_in_api = {run_in_api}
# A peer of our workflows is in the test process.
[action_std_http]
denied_cidrs =
# An executor that says nothing for two seconds is dead: its action has failed.
[action_heartbeat]
check_interval = 1
max_missed_heartbeats = 2
"""


class Site:
    """A folder with the config file and the database.

    :param folder: does not exist yet.
    :param transport_url: of the RabbitMQ.
    :param hub: for the config file.
    """

    def __init__(self, folder: pathlib.Path, transport_url: str, hub: str) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.config = folder / "mistral.conf"
        self._values = {"transport_url": transport_url, "hub": hub, "folder": folder}
        self.write_config()

    def write_config(self, debug: bool = False, run_in_api: bool = False) -> None:
        """Write the config file anew, in one piece."""
        new = self.config.with_suffix(".new")
        chosen = {"debug": debug, "run_in_api": run_in_api}
        new.write_text(_CONFIG.format(**chosen, **self._values))
        new.rename(self.config)

    def create_database(self) -> pathlib.Path:
        """Make mistral's tables and its actions; returns the file."""
        file = ["--config-file", str(self.config)]
        module = "oslo_asyncio.tests.openstack.mistral_tables"
        manage = str(service.SCRIPTS / "mistral-db-manage")
        for command in (
            [sys.executable, "-P", "-m", module, *file],
            [manage, *file, "populate"],
        ):
            subprocess.run(command, check=True, capture_output=True)
        return self.folder / "mistral.sqlite"

    def copy_database(self, made: pathlib.Path) -> None:
        """Begin with the tables that another site has made."""
        shutil.copy(made, self.folder / "mistral.sqlite")


class Client(service.Client):
    """Starts workflows from a process of its own."""

    def __init__(self, config: pathlib.Path) -> None:
        super().__init__("mistral_client", config)

    def create(self, definition: dict) -> None:
        """Tell mistral of workflows: YAML, of which JSON is a part."""
        self.ask(f"create {json.dumps(definition)}", "^: (created)")

    def run(self, workflow: str) -> str:
        """Start a workflow; returns its id."""
        return self.ask(f"run {workflow}", "^: running (.*)")

    def end_of(self, execution: str) -> str:
        """The state that the workflow ends in."""
        return self.ask(f"end {execution}", "^: ended (.*)")
