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

"""A service without workers: SIGHUP, and it answers as before."""

import pathlib

import pytest

from oslo_asyncio.tests.openstack import service

PROGRAM = "oslo_asyncio.tests.openstack.in_place:main"

_CONFIG = """\
[DEFAULT]
transport_url = {transport_url}
rpc_response_timeout = 20
greeting = {greeting}
use_stderr = True
[oslo_asyncio]
hub = {hub}
"""


class Site:
    """A config file whose greeting can be changed."""

    def __init__(self, folder: pathlib.Path, transport_url: str, hub: str) -> None:
        self.config = folder / "in-place.conf"
        self._values = {"transport_url": transport_url, "hub": hub}
        self.greet("hello")

    def greet(self, greeting: str) -> None:
        new = self.config.with_suffix(".new")
        new.write_text(_CONFIG.format(greeting=greeting, **self._values))
        new.rename(self.config)


class Client(service.Client):
    """Asks from a process of its own."""

    def __init__(self, config: pathlib.Path) -> None:
        super().__init__("in_place", config)

    def answer(self) -> tuple[int, str]:
        pid, greeting = self.ask("ask", r"^: (\d+ \w+)$").split()
        return int(pid), greeting


@pytest.fixture
def site(transport_url, hub_name, tmp_path):
    return Site(tmp_path, transport_url, hub_name)


@pytest.fixture
def client(start, site):
    started = start(site.config, process=Client)
    started.wait_until_started()
    yield started
    started.leave()


@pytest.mark.parametrize("method", ["mutate", "reload"])
def test_it_answers_after_a_reload_and_ends_when_it_should(
    start, site, client, method, seen
):
    """FAILURES row 32."""
    arguments = ("--config-file", site.config, "--restart-method", method)
    program = start(PROGRAM, *arguments)
    program.wait_for("Service Greeter started")
    assert client.answer() == (program.pid, "hello")
    site.greet("welcome")
    program.hang_up(rf"Configuration read again \({method}\)")
    assert client.answer() == (program.pid, "welcome")
    program.hang_up(rf"Configuration read again \({method}\)")
    assert client.answer() == (program.pid, "welcome")
    program.stop()
    name = "service of these tests with no_fork=True, oslo.service"
    seen(name, "oslo.service", "HUP", f"{method}: answers as the same process")
    seen(name, "oslo.service", "TERM", "status 0")
