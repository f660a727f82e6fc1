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

"""A service as a real process, driven through pipes and signals."""

import os
import pathlib
import select
import signal
import subprocess
import sys
import textwrap
import time

#: A test that waits longer than this has failed; nothing waits for it to pass.
LIMIT = 60.0

_PREAMBLE = """\
import signal as _signal
_signal.signal(_signal.SIGINT, _signal.default_int_handler)
from oslo_asyncio import hub
hub.setup()
import asyncio, logging, os, signal, socket, sys, threading, time
from oslo_config import cfg
from oslo_asyncio import executor, service

CONF = cfg.CONF
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

CONF(sys.argv[1:])
"""


class Program:
    """Runs ``source`` as a program under one hub.

    The source finds say(), CONF, service, hub, executor and the usual modules.
    What it says comes back through a pipe, line by line; its stderr goes to a
    file.

    :param folder: where the program, its config file and its stderr live.
    :param hub: the hub's name, written to the config file.
    :param source: Python code.
    :param default: lines for [DEFAULT] of the config file.
    :param own: lines for [oslo_asyncio].
    :param env: environment variables to add.
    :param preamble: whether the source is preceded by the usual imports.
    :param prefix: a command that the interpreter is run by.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        hub: str,
        source: str,
        default: str = "",
        own: str = "",
        env: dict[str, str] | None = None,
        preamble: bool = True,
        prefix: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        **popen,
    ) -> None:
        self.folder = folder
        self.config = folder / "service.conf"
        self.write_config(hub, default, own)
        self.path = folder / "program.py"
        text = textwrap.dedent(source)
        self.path.write_text((_PREAMBLE if preamble else "") + text)
        self.errors = folder / "stderr"
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("OSLO_ASYNCIO_HUB", "PYTEST_CURRENT_TEST")
        }
        environment.update(PYTHONUNBUFFERED="1", **(env or {}))
        command = [*prefix, sys.executable, "-W", "ignore:::eventlet", *options]
        command += [str(self.path), "--config-file", str(self.config)]
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=folder,
                **{"stdout": subprocess.PIPE, "stderr": errors, **popen},
            )
        self.pid = self.process.pid
        self.lines: list[str] = []
        self._rest = b""

    def write_config(self, hub: str, default: str = "", own: str = "") -> None:
        """Write the config file anew, in one piece."""
        text = "\n".join(("[DEFAULT]", default, "[oslo_asyncio]", f"hub = {hub}", own))
        new = self.config.with_suffix(".new")
        new.write_text(text + "\n")
        new.rename(self.config)

    def expect(self, start: str) -> str:
        """The next line that the program says, which must begin like this."""
        line = self.next_line()
        assert line.startswith(start), self._story(f"expected {start!r}, got {line!r}")
        return line

    def wait_for(self, start: str) -> str:
        """Skip what the program says until a line begins like this."""
        while not (line := self.next_line()).startswith(start):
            pass
        return line

    def next_line(self) -> str:
        """The next line that the program says."""
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self.process.stdout], [], [], LIMIT)
            assert ready, self._story(f"nothing said for {LIMIT} s")
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, self._story("the program has closed its stdout")
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        self.lines.append(line.decode())
        return self.lines[-1]

    def signal(self, signum: int) -> float:
        """Send a signal; returns the time just before."""
        now = time.monotonic()
        os.kill(self.pid, signum)
        return now

    def exit(self) -> int:
        """Wait for the end; returns the exit status (negative: a signal)."""
        try:
            status = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            raise AssertionError(self._story("the program does not end")) from None
        return status

    def stop(self) -> int:
        """SIGTERM, then :meth:`exit`."""
        self.signal(signal.SIGTERM)
        return self.exit()

    def rest(self) -> list[str]:
        """All that the program says until it closes its stdout."""
        while True:
            try:
                self.next_line()
            except AssertionError:
                return self.lines

    @property
    def stderr(self) -> str:
        """What the program has written to stderr so far."""
        return self.errors.read_text(errors="replace")

    def close(self) -> None:
        """End what is left of it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _story(self, what: str) -> str:
        said = "\n".join(self.lines)
        return f"{what}\n--- said\n{said}\n--- stderr\n{self.stderr}"
