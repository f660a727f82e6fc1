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

"""A service, or a client of one, as a real process with a log to wait on."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

from oslo_asyncio.tests.openstack import processes

#: Seconds that a test waits for what it expects; nothing waits for it to pass.
LIMIT = float(os.environ.get("OSLO_ASYNCIO_TEST_LIMIT", "60"))

#: Where the console scripts are that this Python environment has installed.
SCRIPTS = pathlib.Path(sys.executable).parent


class Process:
    """A command in a session of its own, whose lines are kept as they come.

    :param command: the program and its arguments.
    :param env: environment variables to add.
    """

    def __init__(self, command: list[str], env: dict[str, str] | None = None) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("OSLO_ASYNCIO_HUB", "PYTEST_CURRENT_TEST")
        }
        environment.update({"PYTHONUNBUFFERED": "1", **(env or {})})
        self.command = command
        self.lines: list[str] = []
        self._more = threading.Condition()
        self._closed = False
        self._popen = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._popen.pid
        self._pidfd = os.pidfd_open(self.pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._popen.stdout:
            with self._more:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self._closed = True
            self._more.notify_all()

    @property
    def now(self) -> int:
        """How many lines there are, for ``since``."""
        return len(self.lines)

    def found(self, pattern: str, since: int = 0) -> list[re.Match[str]]:
        """Where the regular expression occurs in the lines so far."""
        compiled = re.compile(pattern)
        with self._more:
            found = [compiled.search(line) for line in self.lines[since:]]
        return [each for each in found if each]

    def wait_for(
        self, pattern: str, count: int = 1, since: int = 0
    ) -> list[re.Match[str]]:
        """Wait until the regular expression occurs in so many lines."""
        deadline = time.monotonic() + LIMIT
        with self._more:
            while len(found := self.found(pattern, since)) < count:
                left = deadline - time.monotonic()
                story = f"{pattern!r} came {len(found)} times of {count}"
                assert left > 0, self.story(f"{story} within {LIMIT} s")
                assert not self._closed, self.story(f"{story} before the end")
                self._more.wait(left)
        return found

    @property
    def pids(self) -> list[int]:
        """Its children, in order."""
        return sorted(processes.children_of(self.pid))

    def say(self, line: str) -> None:
        """Write a line to its stdin."""
        self._popen.stdin.write(f"{line}\n".encode())
        self._popen.stdin.flush()

    def signal(self, signum: int) -> None:
        """Send a signal to the process itself."""
        signal.pidfd_send_signal(self._pidfd, signum)

    def exit(self) -> int:
        """Wait for the end; returns the exit status (negative: a signal)."""
        try:
            return self._popen.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise AssertionError(self.story("it does not end")) from None

    def members(self) -> list[str]:
        """Who is alive in its session."""
        pids = processes.members_of(self.pid)
        return [f"{pid} ({processes.name_of(pid)})" for pid in pids]

    def left(self) -> list[str]:
        """Who is alive in its session although it has ended itself."""
        return self.members() if self._popen.poll() is not None else []

    def close(self) -> None:
        """End all that is left of it."""
        left = processes.members_of(self.pid)
        while left:
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            processes.Tree(*left).wait(LIMIT)
            self._popen.poll()
            left = processes.members_of(self.pid)
        self._popen.wait()
        self._popen.stdin.close()
        self._reader.join()
        self._popen.stdout.close()
        os.close(self._pidfd)

    def story(self, what: str) -> str:
        """What a failed test says about this process."""
        return "\n".join((what, "--- of " + " ".join(self.command), *self.lines[-80:]))


class Client(Process):
    """A module that asks a service, as it is told line by line.

    :param module: it says ``: started`` when it has, and its answers likewise.
    :param config: its config file.
    """

    def __init__(self, module: str, config: pathlib.Path) -> None:
        # -P, or a folder that we happen to be in would be searched for modules
        words = [sys.executable, "-P", "-m", f"oslo_asyncio.tests.openstack.{module}"]
        super().__init__([*words, "--config-file", str(config)])

    def wait_until_started(self) -> None:
        """Wait for it, since it imports what the service imports."""
        self.wait_for("^: started")

    def ask(self, question: str, answer: str) -> str:
        """Say something; returns the group of the answer that matches."""
        since = self.now
        self.say(question)
        return self.wait_for(answer, since=since)[0][1]

    def leave(self) -> None:
        """Tell it that there is nothing more to ask; it ends."""
        self._popen.stdin.close()
        assert self.exit() == 0, self.story("it failed")


class Service(Process):
    """A service under ``oslo-asyncio run``, or on oslo.service's own backend.

    :param script: the console script, or ``module:function``.
    :param arguments: its command line.
    :param stock: whether it runs without this library.
    :param env: environment variables to add.
    """

    def __init__(
        self,
        script: str,
        *arguments: str | pathlib.Path,
        stock: bool = False,
        env: dict[str, str] | None = None,
    ) -> None:
        words = list(map(str, arguments))
        if stock:
            command = [str(SCRIPTS / script), *words]
        else:
            command = [str(SCRIPTS / "oslo-asyncio"), "run", script, *words]
        super().__init__(command, env)

    def ready(self, workers: int, since: int = 0) -> dict[int, int]:
        """Wait for so many workers; returns pid by number, the newest of each."""
        found = self.wait_for(
            r"Worker (\d+) of \S+ \(pid (\d+)\) is ready after", workers, since
        )
        return {int(each[1]): int(each[2]) for each in found}

    def hang_up(self, ended: str = "Reload ended") -> None:
        """SIGHUP, and wait until the launcher says that the reload has ended."""
        since = self.now
        self.signal(signal.SIGHUP)
        self.wait_for(ended, since=since)

    def stop(self) -> float:
        """SIGTERM, status 0, and nobody left; returns how long it took, seconds."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        status = self.exit()
        seconds = time.monotonic() - began
        assert status == 0, self.story(f"exit status {status} after SIGTERM")
        assert not self.members(), self.story(f"left behind: {self.members()}")
        return seconds
