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

"""The example of two services does what its tutorial says."""

import http.client
import importlib.util
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys

import pytest

from oslo_asyncio.tests.messaging import peers

#: What each worker says when it has started, the periodic task included.
UP = "The worker answers calls", "There are 0 volumes of 0 GiB in all"

ROOT = pathlib.Path(__file__).parents[3]
EXAMPLE = ROOT / "examples/volumes"
TUTORIAL = ROOT / "doc/source/user/tutorial/code"
PROGRAMS = ("settings.py", "worker.py", "api.py", "together.py")

pytestmark = [
    pytest.mark.skipif(not TUTORIAL.is_dir(), reason="the examples are not here"),
    pytest.mark.skipif(
        importlib.util.find_spec("uvicorn") is None, reason="needs the extra wsgi"
    ),
]


class Running:
    """A program of the example; its log comes through a pipe."""

    def __init__(self, name, config, hub_name):
        self.process = subprocess.Popen(
            [sys.executable, name, "--config-file", config.name],
            env=os.environ | {"OSLO_ASYNCIO_HUB": hub_name, "PYTHONWARNINGS": "ignore"},
            cwd=config.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.lines = []
        self._rest = b""

    def wait_for(self, text, times=1):
        """Read its log until a line with this text has come."""
        while times:
            times -= text in self._next()
        return self.lines[-1]

    def wait_for_all(self, *texts):
        """Likewise, in whatever order they come."""
        left = list(texts)
        while left:
            line = self._next()
            found = next((text for text in left if text in line), None)
            if found is not None:
                left.remove(found)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        while self._read():
            pass
        return self.process.wait(peers.LIMIT)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def _next(self):
        while b"\n" not in self._rest:
            assert self._read(), "\n".join(self.lines)
        line, self._rest = self._rest.split(b"\n", 1)
        self.lines.append(line.decode())
        return self.lines[-1]

    def _read(self):
        pipe = self.process.stdout
        story = "\n".join(self.lines)
        assert select.select([pipe], [], [], peers.LIMIT)[0], f"silence after\n{story}"
        data = os.read(pipe.fileno(), 65536)
        self._rest += data
        return data

    @property
    def log(self):
        return "\n".join([*self.lines, self._rest.decode()])


@pytest.fixture
def run(hub_name):
    """Run a program of the example: ``run("api.py", config)``."""
    made = []

    def run(name, config):
        made.append(Running(name, config, hub_name))
        return made[-1]

    yield run
    for each in made:
        each.close()


@pytest.fixture
def config(tmp_path):
    """Save its files, and ``config(file, largest=5)`` with other values."""
    for name in PROGRAMS:
        shutil.copy(EXAMPLE / name, tmp_path)

    def write(file, **values):
        text = file.read_text()
        for name, value in {"port": 0, **values}.items():
            line = f"{name} = {value}"
            text, found = re.subn(f"(?m)^{name} = .*$", line, text)
            assert found == 1, name
        new = tmp_path / "new"
        new.write_text(text)
        return new.rename(tmp_path / "volumes.conf")

    return write


def ask(port, method, path):
    client = http.client.HTTPConnection("localhost", port, timeout=peers.LIMIT)
    try:
        client.request(method, path)
        response = client.getresponse()
        return response.status, json.loads(response.read())
    finally:
        client.close()


def port_of(program):
    line = program.wait_for("Listening on ")
    return int(re.search(r":(\d+)/$", line)[1])


def check_answers(port):
    """What curl shows in the tutorial."""
    ada = {"name": "ada", "size": 3}
    assert ask(port, "POST", "/volumes/ada?size=3") == (201, ada)
    status, answer = ask(port, "POST", "/volumes/ada?size=3")
    assert (status, answer) == (400, {"error": "there is a volume ada already"})
    assert ask(port, "GET", "/volumes") == (200, ["ada"])
    assert ask(port, "GET", "/usage") == (200, {"volumes": 1, "size": 3})
    assert ask(port, "GET", "/pears") == (404, {"error": "no such page"})
    too_large = (400, {"error": "300 GiB are more than 100"})
    assert ask(port, "POST", "/volumes/ben?size=300") == too_large


def request_of(line):
    return re.search(r"req-[-0-9a-f]+", line)[0]


def test_both_in_one_process_without_a_broker(run, config):
    file = EXAMPLE / "volumes.conf"
    both = run("together.py", config(file))
    port = port_of(both)
    both.wait_for_all(*UP)
    check_answers(port)
    asked = both.wait_for("POST /volumes/ada")
    created = both.wait_for("Created volume ada")
    assert request_of(asked) == request_of(created)
    config(file, largest=500)
    both.process.send_signal(signal.SIGHUP)
    both.wait_for("The largest volume is 500 GiB now")
    assert ask(port, "POST", "/volumes/ben?size=300")[0] == 201
    assert both.stop() == 0
    assert "The worker has stopped" in both.log
    assert "ERROR" not in both.log


def test_two_services_over_rabbitmq(run, config, broker, topic):
    # an exchange of its own: other tests use the same broker
    url = f"{broker}\ncontrol_exchange = {topic}"
    file = TUTORIAL / "volumes-rabbit.conf"
    saved = config(file, transport_url=url)
    worker = run("worker.py", saved)
    worker.wait_for_all(*UP, *UP)
    api = run("api.py", saved)
    port = port_of(api)
    check_answers(port)
    config(file, transport_url=url, largest=500)
    worker.process.send_signal(signal.SIGHUP)
    worker.wait_for("The largest volume is 500 GiB now", times=2)
    assert ask(port, "POST", "/volumes/ben?size=300")[0] == 201
    assert api.stop() == 0
    assert worker.stop() == 0
    assert worker.log.count("The worker has stopped") == 2
    assert "ERROR" not in api.log + worker.log
