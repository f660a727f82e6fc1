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
"""A hub that another package brings."""

import pytest

MODULE = """
import asyncio
from oslo_asyncio import hub

class PlainHub(hub.Hub):
    name = "plain"

    def new_event_loop(self):
        return asyncio.SelectorEventLoop()
"""

METADATA = "Metadata-Version: 2.1\nName: plain-hub\nVersion: 1.0\n"


@pytest.fixture
def hub_name():
    """What the config file says."""
    return "plain"


@pytest.fixture
def package(tmp_path):
    """The environment of a program in which the package is installed."""
    site = tmp_path / "site"
    info = site / "plain_hub-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "plain_hub.py").write_text(MODULE)
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(
        "[oslo_asyncio.hubs]\nplain = plain_hub:PlainHub\n"
        "broken = plain_hub:NoSuchHub\n"
    )
    # stevedore keeps a list of entry points there
    return {"PYTHONPATH": str(site), "XDG_CACHE_HOME": str(tmp_path / "cache")}


SERVICE = """
class Mixed(service.Service):
    async def start(self):
        say(type(asyncio.get_running_loop()).__name__, hub.current().name)
        say(await hub.run_sync(native))
        say(await executor.run_blocking(sum, [1, 2]))
        say(await asyncio.to_thread(sum, [3, 4]))

    def wait(self):
        say(hub.run_async(double, 21))

    def reset(self):
        say("reset")

    async def stop(self):
        say("stopped")

def native():
    return threading.current_thread() is not threading.main_thread()

async def double(number):
    await asyncio.sleep(0)
    return 2 * number

sys.exit(service.launch(CONF, Mixed(), restart_method="mutate").wait())
"""


def test_a_hub_of_another_package_runs_services(start, package):
    program = start(SERVICE, env=package)
    lines = ("_UnixSelectorEventLoop plain", "True", "3", "7", "42")
    for line in lines:
        assert program.next_line() == line
    program.signal(1)
    program.expect("reset")
    assert program.stop() == 0
    assert program.rest() == ["stopped"]
    assert "Traceback" not in program.stderr
    assert "WARNING" not in program.stderr


def test_a_hub_of_another_package_is_listed_among_the_installed(start, package):
    program = start(SERVICE, hub="gevent", env=package)
    assert program.exit() == 1
    assert program.stderr == (
        "hub 'gevent' is not installed; installed: asyncio, broken, eventlet, "
        f"plain, uvloop; set [oslo_asyncio] hub in {program.config} line 4\n"
    )


def test_a_package_that_names_a_class_it_does_not_have_is_named(start, package):
    program = start(SERVICE, hub="broken", env=package)
    assert program.exit() == 1
    assert program.stderr.startswith("hub 'broken' cannot be used: ")
    assert len(program.stderr.splitlines()) == 1
    assert "plain-hub" in program.stderr


def test_a_package_that_was_installed_after_stevedores_list_was_made_works(
    start, package, tmp_path
):
    old = {"XDG_CACHE_HOME": package["XDG_CACHE_HOME"]}
    program = start("say(hub.current().name)\n", hub="uvloop", env=old)
    program.expect("uvloop")
    assert program.exit() == 0
    program = start(SERVICE, env=package)
    program.expect("_UnixSelectorEventLoop plain")
    assert program.stop() == 0
