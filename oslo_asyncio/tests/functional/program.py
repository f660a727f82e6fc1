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

from collections.abc import Callable
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import sys
import textwrap
import time

#: A test that waits longer than this has failed; nothing waits for it to pass.
LIMIT = float(os.environ.get("OSLO_ASYNCIO_TEST_LIMIT", "60"))

#: Seconds that a busy machine may add to what should take none.
SLACK = 9.0

_PREAMBLE = """\
import signal as _signal
_signal.signal(_signal.SIGINT, _signal.default_int_handler)
from oslo_asyncio import hub
hub.setup()
import asyncio, atexit, logging, os, signal, socket, sys, threading, time
from oslo_config import cfg
from oslo_asyncio import _unpatched, executor, service

CONF = cfg.CONF
if any(name.startswith("COVERAGE") for name in os.environ):
    import coverage
    if measured := coverage.Coverage.current():
        service.on_worker_exit(measured.save)
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")


if os.environ.get("HAS_AN_EAR"):
    _ear = socket.socket(fileno=0)
    atexit.register(_ear.detach)  # or it complains that it was not closed


def say(*words):
    # not the green write, of which eventlet allows one at a time
    _unpatched.os.write(1, (" ".join(map(str, words)) + "\\n").encode())


def hear():
    # blocks the calling thread or green thread until the test says tell()
    return _ear.recv(1)


def hear_natively():
    # blocks the calling native thread, whatever is patched
    _unpatched.select.select([0], [], [])
    return _unpatched.os.read(0, 1)


CONF(sys.argv[1:])
"""


class Closed(AssertionError):
    """The program has closed its stdout."""


class Program:
    """Runs ``source`` as a program under one hub.

    The source finds say(), hear(), CONF, service, hub, executor and the usual
    modules.  What it says comes back through a pipe, line by line; its stderr
    goes to a file, or to the same pipe with ``stderr=subprocess.STDOUT``.

    :param folder: where the program, its config file and its stderr live.
    :param hub: the hub's name, written to the config file.
    :param source: Python code.
    :param default: lines for [DEFAULT] of the config file.
    :param own: lines for [oslo_asyncio].
    :param env: environment variables to add.
    :param measured: whether a coverage tool may watch the program, if one
        watches the tests.
    :param preamble: whether the source is preceded by the usual imports.
    :param prefix: a command that the interpreter is run by.
    :param options: options of the interpreter.
    :param arguments: the command line after the config file.
    :param terminal: whether stdin and stdout are a terminal.
    :param popen: for subprocess.Popen.
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
        measured: bool = True,
        prefix: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        arguments: tuple[str, ...] | None = None,
        terminal: bool = False,
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
            and (measured or not name.startswith("COVERAGE"))
        }
        environment.update({"PYTHONUNBUFFERED": "1", "HAS_AN_EAR": "1", **(env or {})})
        command = [*prefix, sys.executable, "-W", "ignore:::eventlet", *options]
        command.append(str(self.path))
        if arguments is None:
            arguments = ("--config-file", str(self.config))
        self._mouth, ear = socket.socketpair()
        self._out, inner = pty.openpty() if terminal else os.pipe()
        streams = {"stdin": ear, "stdout": inner}
        if terminal:
            environment.pop("HAS_AN_EAR")
            streams["stdin"] = inner
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [*command, *arguments],
                env=environment,
                cwd=folder,
                **{**streams, "stderr": errors, **popen},
            )
        os.close(inner)
        ear.close()
        self.pid = self.process.pid
        self._pidfd = os.pidfd_open(self.pid)
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
            ready, _, _ = select.select([self._out], [], [], LIMIT)
            assert ready, self._story(f"nothing said for {LIMIT} s")
            data = self._read()
            if not data:
                raise Closed(self._story("the program has closed its stdout"))
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        self.lines.append(line.decode().rstrip("\r"))
        return self.lines[-1]

    def _read(self) -> bytes:
        try:
            return os.read(self._out, 65536)
        except OSError:
            return b""  # how a terminal says that it has been closed

    def tell(self, times: int = 1) -> None:
        """Let so many hear() of the program return."""
        self._mouth.sendall(b"." * times)

    def type(self, keys: bytes) -> None:
        """Press keys at the program's terminal."""
        os.write(self._out, keys)

    def close_stdout(self) -> None:
        """Be a reader who goes away."""
        os.close(self._out)
        self._out = -1

    def signal(self, signum: int) -> float:
        """Send a signal; returns the time just before."""
        now = time.monotonic()
        os.kill(self.pid, signum)
        return now

    def exit(self) -> int:
        """Wait for the end; returns the exit status (negative: a signal)."""
        ready, _, _ = select.select([self._pidfd], [], [], LIMIT)
        if not ready:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise AssertionError(self._story("the program does not end"))
        return self.process.wait()

    def stop(self) -> int:
        """SIGTERM, then :meth:`exit`."""
        self.signal(signal.SIGTERM)
        return self.exit()

    def rest(self) -> list[str]:
        """What the program says from here on, until it closes its stdout."""
        known = len(self.lines)
        try:
            while True:
                self.next_line()
        except Closed:
            return self.lines[known:]

    @property
    def stderr(self) -> str:
        """What the program has written to stderr so far."""
        return self.errors.read_text(errors="replace")

    def close(self) -> None:
        """End what is left of it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._mouth.close()
        os.close(self._pidfd)
        if self._out != -1:
            self.close_stdout()

    def _story(self, what: str) -> str:
        said = "\n".join(self.lines)
        return f"{what}\n--- said\n{said}\n--- stderr\n{self.stderr[:5000]}"


def fastest(measure: Callable[[], float], limit: float) -> float:
    """The best of three tries, for the machine may be busy; seconds."""
    times: list[float] = []
    while len(times) < 3 and (not times or min(times) >= limit):
        times.append(measure())
    return min(times)
