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

"""One service on two hubs; one line of its config file differs.

    python examples/demo.py [HUB ...]

Runs examples/hello.py on each hub as a process of its own, asks it from
several clients, and stops it while it serves a request.
"""

import concurrent.futures
import contextlib
import http.client
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

SERVICE = pathlib.Path(__file__).with_name("hello.py")
CONFIG = """\
[DEFAULT]
port = 0

[oslo_asyncio]
hub = {hub}
"""
CLIENTS = ("ada", "ben", "cleo")
#: Whoever waits for so many seconds has failed; nothing waits for it to pass.
LIMIT = 30.0


class Failure(Exception):
    """What went wrong, in one sentence."""


FAILURES = Failure, OSError, http.client.HTTPException, subprocess.SubprocessError


class Running:
    """The service as a process; what it says comes through a pipe."""

    def __init__(self, folder, hub):
        config = folder / "hello.conf"
        config.write_text(CONFIG.format(hub=hub))
        self._errors = folder / "stderr"
        environment = dict(os.environ)
        environment.pop("OSLO_ASYNCIO_HUB", None)  # it would win over the file
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(SERVICE), "--config-file", str(config)],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
            )
        self._unread = b""
        self._said = []

    def wait_for(self, start):
        """Read until a line begins like this; returns the rest of it."""
        while not (line := self._next_line()).startswith(start):
            pass
        return line.removeprefix(start)

    def exit_status(self):
        """Read until the process has closed the pipe, which is its end."""
        while self._read():
            pass
        return self.process.wait(LIMIT)

    def close(self):
        """End the process, if it has not ended by itself."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def _next_line(self):
        while b"\n" not in self._unread:
            if not (data := self._read()):
                raise Failure(f"the service has ended: {self._last_words()}")
            self._unread += data
        line, self._unread = self._unread.split(b"\n", 1)
        self._said.append(line.decode())
        return self._said[-1]

    def _read(self):
        pipe = self.process.stdout
        if not select.select([pipe], [], [], LIMIT)[0]:
            raise Failure(f"the service has said nothing for {LIMIT:g} s")
        return os.read(pipe.fileno(), 65536)

    def _last_words(self):
        self.process.wait(LIMIT)
        errors = [line for line in self._said if " ERROR " in line]
        errors += self._errors.read_text(errors="replace").splitlines()[-1:]
        return errors[0] if errors else f"status {self.process.returncode}"


def ask(port, name):
    """One client: a connection by host name, a request, its answer."""
    client = http.client.HTTPConnection("localhost", port, timeout=LIMIT)
    with contextlib.closing(client):
        client.request("GET", f"/{name}")
        return client.getresponse().read().decode().strip()


def is_refused(port):
    """Whether a new client is turned away."""
    try:
        socket.create_connection(("localhost", port), timeout=LIMIT).close()
    except ConnectionRefusedError:
        return True
    return False


def expect(name, hub, answer):
    """Check an answer, and hand it on."""
    if not answer.startswith(f"hello {name}: {hub} hub, "):
        raise Failure(f"the answer to {name} was {answer!r}")
    return answer


def show(label, text):
    print(f"  {label:<12}{text}", flush=True)


def run(service, hub):
    """The life of the service on one hub."""
    url = service.wait_for("listening on ")
    port = int(url.rstrip("/").rsplit(":", 1)[1])
    show("started", f"process {service.process.pid}, {url}")

    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(CLIENTS)) as clients:
        answers = list(clients.map(ask, [port] * len(CLIENTS), CLIENTS))
    took = time.monotonic() - begun
    label = f"{len(CLIENTS)} clients"
    for name, answer in zip(CLIENTS, answers, strict=True):
        show(label, expect(name, hub, answer))
        label = ""
    show("", f"all at once, in {took:.2f} s; the sync code of each took 0.1 s")

    with socket.create_connection(("localhost", port), timeout=LIMIT) as client:
        client.sendall(b"GET /late HTTP/1.0\r\n")  # the empty line is to come
        service.wait_for("serving /late")
        service.process.send_signal(signal.SIGTERM)
        service.wait_for("stopping")
        if not is_refused(port):
            raise Failure("the service accepts connections while it stops")
        show("SIGTERM", "sent while a request is served; a new client is refused")
        client.sendall(b"\r\n")
        response = http.client.HTTPResponse(client)
        response.begin()
        answer = response.read().decode().strip()
    show("its answer", expect("late", hub, answer))
    status = service.exit_status()
    show("exit status", status)
    if status:
        raise Failure(f"the service ended with status {status}")


def main(hubs):
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    hub = hubs[0]
    try:
        for hub in hubs:
            print(f"examples/{SERVICE.name} with [oslo_asyncio] hub = {hub}")
            with tempfile.TemporaryDirectory() as folder:
                service = Running(pathlib.Path(folder), hub)
                with contextlib.closing(service):
                    run(service, hub)
    except FAILURES as error:
        return f"The demo failed on the {hub} hub: {error}"
    except KeyboardInterrupt:
        return "The demo was interrupted."
    print(f"All went well with the same file on {' and '.join(hubs)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["asyncio", "eventlet"]))
