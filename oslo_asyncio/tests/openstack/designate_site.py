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

"""designate, as its operators set it up, on SQLite and RabbitMQ."""

import json
import pathlib
import shutil
import subprocess

from oslo_asyncio.tests.openstack import service

_CONFIG = """\
[DEFAULT]
host = h1
debug = {debug}
state_path = {folder}/state
use_stderr = True
transport_url = {transport_url}
graceful_shutdown_timeout = {grace}
rpc_response_timeout = 20
[oslo_asyncio]
hub = {hub}
worker_heartbeat_timeout = {heartbeat}
[oslo_concurrency]
lock_path = {folder}/state
[storage:sqlalchemy]
connection = sqlite:///{folder}/designate.sqlite
[service:central]
workers = 2
[service:producer]
workers = 2
[service:worker]
workers = 2
[heartbeat_emitter]
heartbeat_interval = 1
[coordination]
backend_url = file://{folder}/tooz
[oslo_policy]
policy_file = {folder}/policy.yaml
"""


class Site:
    """A folder with the config file, the state and the database.

    :param folder: does not exist yet.
    :param transport_url: of the RabbitMQ.
    :param hub: for the config file.
    """

    def __init__(self, folder: pathlib.Path, transport_url: str, hub: str) -> None:
        for name in ("state", "tooz"):
            (folder / name).mkdir(parents=True)
        (folder / "policy.yaml").write_text("{}")
        self.folder = folder
        self.config = folder / "designate.conf"
        self._values = {"transport_url": transport_url, "hub": hub, "folder": folder}
        self.write_config()

    def write_config(
        self, debug: bool = False, grace: int = 10, heartbeat: int = 0
    ) -> None:
        """Write the config file anew, in one piece.

        :param grace: how long a stop may take, seconds.
        :param heartbeat: how long a worker may be silent, seconds; 0: for ever.
        """
        new = self.config.with_suffix(".new")
        chosen = {"debug": debug, "grace": grace, "heartbeat": heartbeat}
        new.write_text(_CONFIG.format(**chosen, **self._values))
        new.rename(self.config)

    def create_database(self) -> pathlib.Path:
        """Let designate make its tables; returns the file."""
        manage = str(service.SCRIPTS / "designate-manage")
        command = [manage, "--config-file", str(self.config), "database", "sync"]
        subprocess.run(command, check=True, capture_output=True)
        return self.folder / "designate.sqlite"

    def copy_database(self, made: pathlib.Path) -> None:
        """Begin with the tables that another site has made."""
        shutil.copy(made, self.folder / "designate.sqlite")


class Client(service.Client):
    """Calls designate-central from a process of its own."""

    def __init__(self, config: pathlib.Path) -> None:
        super().__init__("designate_client", config)

    def wait_until_up(self, *names: str) -> None:
        """Ask central until these services have sent it a heartbeat over RPC."""
        self.ask(f"up {' '.join(names)}", "^: (up)")

    def purge(self) -> None:
        """Ask for something that central tells about at level DEBUG."""
        self.ask("purge", r"^: (purged)")

    def begin(self) -> None:
        """Begin to call 20 times a second, whether answers come or not."""
        self.say("begin")

    def wait_for_answers(self, count: int) -> None:
        """Wait for so many more answers."""
        self.wait_for("^: answer", count, since=self.now)

    def end(self) -> dict[str, int]:
        """Call no more; returns how often each thing happened once all is known."""
        return json.loads(self.ask("end", r"^: load (.*)"))
