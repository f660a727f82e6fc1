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

"""A RabbitMQ of our own, for as long as the tests run.

``python -m oslo_asyncio.tests.openstack.rabbitmq COMMAND...`` runs a command with the
URL of one in its environment, and ends with the command's status.
"""

import contextlib
import os
import pathlib
import select
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest

from oslo_asyncio.tests.openstack import processes

#: Seconds; the Erlang machine takes a few, and a busy one many.
LIMIT = 120

#: Debian's /usr/sbin/rabbitmq-server insists on its own user, this one does not.
_SERVER = pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server")

_CONFIG = """\
listeners.tcp.local = 127.0.0.1:{port}
loopback_users = none
log.console = true
log.console.level = info
log.file = false
"""

_READY = b"Server startup complete"


def missing() -> str | None:
    """What has to be installed before a server can run here."""
    if _SERVER.exists() and shutil.which("epmd"):
        return None
    return (
        "there is no RabbitMQ on this machine: apt-get install rabbitmq-server, or "
        "name one in OSLO_ASYNCIO_TRANSPORT_URL=rabbit://USER:PASSWORD@HOST:PORT/"
    )


def transport_url(folder: pathlib.Path):
    """Yield the URL of a server that others run, or of ours, which ends after."""
    given = os.environ.get("OSLO_ASYNCIO_TRANSPORT_URL")
    if given:
        yield given
        return
    with own(folder) as server:
        yield server.url


@contextlib.contextmanager
def own(folder: pathlib.Path):
    """A server that nobody else uses, so that it may be killed."""
    what = missing()
    if what and os.environ.get("OSLO_ASYNCIO_RABBITMQ") == "required":
        pytest.fail(what)
    if what:
        pytest.skip(what)
    server = RabbitMQ(folder)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


class RabbitMQ:
    """Debian's server, with a name, ports and folders that nobody else has.

    :param folder: for everything that it writes.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.port, distribution, mapper = _free_ports(3)
        (folder / "rabbitmq.conf").write_text(_CONFIG.format(port=self.port))
        (folder / "environment").touch()
        self._folder = folder
        self._environment = _environment(folder, self.port, distribution, mapper)
        # in the foreground: the one that Erlang would start stays behind for ever
        self._mapper = subprocess.Popen(
            ["epmd", "-address", "127.0.0.1", "-port", str(mapper)],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.start()

    @property
    def url(self) -> str:
        """For clients."""
        return f"rabbit://guest:guest@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Begin, and after kill() once more, with the same ports and files."""
        self._log = b""
        self._server = subprocess.Popen(
            [str(_SERVER)],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def wait_until_ready(self) -> None:
        """Read its log until it says that it is up."""
        out = self._server.stdout.fileno()
        while _READY not in self._log:
            ready, _, _ = select.select([out], [], [], LIMIT)
            data = os.read(out, 65536) if ready else b""
            if not data:
                pytest.fail(f"RabbitMQ does not start:\n{self._log.decode()}")
            self._log += data
        processes.drain(self._server.stdout)

    def kill(self) -> None:
        """Give it no chance, and return when nothing of it is left."""
        tree = processes.Tree(self._server.pid)
        self._server.kill()
        left = tree.wait(60)
        self._server.wait()
        assert not left, f"RabbitMQ left processes behind: {left}"

    def stop(self) -> None:
        """End it and everything that it has started."""
        tree = processes.Tree(self._server.pid)
        self._server.terminate()
        left = tree.wait(60)
        self._mapper.terminate()
        self._mapper.wait()
        self._server.wait()
        assert not left, f"RabbitMQ left processes behind: {left}"


def _environment(
    folder: pathlib.Path, port: int, distribution: int, mapper: int
) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(folder),  # of its cookie
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(mapper),
        "RABBITMQ_BASE": str(folder),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_NODENAME": f"oslo-asyncio-{port}@localhost",
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-kernel inet_dist_use_interface {127,0,0,1}"
        ),
        # two schedulers that do not spin leave the machine to the services
        "RABBITMQ_SERVER_START_ARGS": "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
        "RABBITMQ_USE_LONGNAME": "false",
        # it stays our child, instead of a shell's that would have to forward signals
        "RUNNING_UNDER_SYSTEMD": "true",
    }


def _free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def main(command: list[str]) -> int:
    """Run a command beside a server."""
    if os.environ.get("OSLO_ASYNCIO_TRANSPORT_URL"):
        return subprocess.call(command)
    if what := missing():
        print(what, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        server = RabbitMQ(pathlib.Path(folder))
        try:
            server.wait_until_ready()
            environment = {**os.environ, "OSLO_ASYNCIO_TRANSPORT_URL": server.url}
            return subprocess.call(command, env=environment)
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
