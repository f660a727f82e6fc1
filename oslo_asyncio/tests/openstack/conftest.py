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

import importlib.util
import pathlib

import pytest

from oslo_asyncio.tests.openstack import designate_site
from oslo_asyncio.tests.openstack import rabbitmq
from oslo_asyncio.tests.openstack import service
from oslo_asyncio.tests.openstack import sights

#: For the tests that are cheap; the others run on two of them.
EVERY_HUB = ("asyncio", "eventlet", "uvloop")

_TABLE = pathlib.Path("doc/source/user/howto/services-tried.csv")

_SEEN: list[sights.Sight] = []


def pytest_addoption(parser):
    parser.addoption(
        "--write-table",
        action="store_true",
        help=f"write what was seen of the services to {_TABLE}, if all tests passed",
    )


def pytest_runtest_logreport(report):
    if report.when == "call" and report.passed:
        seen = (value for name, value in report.user_properties if name == "seen")
        _SEEN.extend(sights.Sight(*each) for each in seen)


def pytest_sessionfinish(session, exitstatus):
    config = session.config
    if not _SEEN or hasattr(config, "workerinput"):
        return
    path = config.rootpath / _TABLE
    rows = sights.table(_SEEN)
    whole = not exitstatus and not config.option.keyword and _whole_folder(config)
    if whole and config.getoption("write_table", False):
        sights.write(rows, path)
    differences = sights.differences(sights.read(path), rows, whole)
    if differences:
        session.exitstatus = exitstatus or pytest.ExitCode.TESTS_FAILED
    config.stash[_DIFFERENCES] = differences


_DIFFERENCES = pytest.StashKey[list[str]]()


def _whole_folder(config):
    return all(pathlib.Path(each).is_dir() for each in config.args)


def pytest_terminal_summary(terminalreporter, config):
    if not _SEEN:
        return
    terminalreporter.section("services tried")
    for row in sights.table(_SEEN)[1:]:
        terminalreporter.write_line(" | ".join(row))
    differences = config.stash.get(_DIFFERENCES, [])
    if differences:
        terminalreporter.write_line(
            f"{_TABLE} says something else (tox -e openstack -- --write-table):"
        )
        for each in differences:
            terminalreporter.write_line(each)


@pytest.fixture(scope="session", autouse=True)
def installed():
    """The services are there: not part of what the other tests need."""
    for name in ("designate", "mistral"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: run tox -e openstack")


@pytest.fixture(scope="session")
def transport_url(installed, tmp_path_factory):
    """A RabbitMQ that runs as long as the tests."""
    yield from rabbitmq.transport_url(tmp_path_factory.mktemp("rabbitmq"))


@pytest.fixture(params=["asyncio", "eventlet"])
def hub_name(request):
    """Each hub in turn."""
    return request.param


@pytest.fixture
def seen(record_property, hub_name):
    """Put into the table what a test has seen of a service."""

    def seen(program, distribution, column, text):
        name = sights.service_name(program, distribution)
        record_property("seen", [name, hub_name, column, text])

    return seen


@pytest.fixture
def start():
    """Start a service: ``start(script, *arguments)``; see Service."""
    made = []

    def start(*arguments, process=service.Service, **options):
        made.append(process(*arguments, **options))
        return made[-1]

    yield start
    left = [each.story(f"left behind: {each.left()}") for each in made if each.left()]
    for each in made:
        print(each.story("all that it said last"))  # pytest shows it if a test failed
        each.close()
    assert not left, "\n".join(left)


@pytest.fixture(scope="session")
def designate_tables(transport_url, tmp_path_factory):
    """A new database of designate's, to be copied."""
    folder = tmp_path_factory.mktemp("designate") / "first"
    return designate_site.Site(folder, transport_url, "asyncio").create_database()


@pytest.fixture
def designate(designate_tables, transport_url, hub_name, tmp_path):
    """designate's config file, state and database."""
    site = designate_site.Site(tmp_path / "designate", transport_url, hub_name)
    site.copy_database(designate_tables)
    return site


@pytest.fixture
def central(start, designate):
    """designate-central with two workers that are ready."""
    started = start("designate-central", "--config-file", designate.config)
    started.ready(2)
    return started


@pytest.fixture
def client(start, designate):
    """A process that calls designate-central."""
    started = start(designate.config, process=designate_site.Client)
    started.wait_until_started()
    yield started
    started.leave()
