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

"""mistral, released and unchanged, on our launcher: workflows end to end."""

import pytest

from oslo_asyncio.tests.openstack import mistral_site
from oslo_asyncio.tests.openstack import peer as peer_module
from oslo_asyncio.tests.openstack import processes
from oslo_asyncio.tests.openstack.conftest import EVERY_HUB

PROGRAM = "mistral-server"


@pytest.fixture(scope="module")
def tables(transport_url, tmp_path_factory):
    """A new database of mistral's, to be copied."""
    folder = tmp_path_factory.mktemp("mistral") / "first"
    return mistral_site.Site(folder, transport_url, "asyncio").create_database()


@pytest.fixture
def site(tables, transport_url, hub_name, tmp_path):
    """mistral's config file and database."""
    made = mistral_site.Site(tmp_path / "mistral", transport_url, hub_name)
    made.copy_database(tables)
    return made


@pytest.fixture
def peer():
    """Somebody whom a workflow can ask."""
    made = peer_module.Peer()
    yield made
    made.close()


@pytest.fixture
def client(start, site, peer):
    """A process that starts workflows."""
    started = start(site.config, process=mistral_site.Client)
    started.wait_until_started()
    started.create(definitions(peer.url))
    yield started
    started.leave()


@pytest.fixture
def serve(start, site):
    """Start mistral-server with so many components: ``serve("engine,executor")``."""

    def serve(components):
        arguments = ("--config-file", site.config, "--server", components)
        started = start(PROGRAM, *arguments)
        started.ready(len(components.split(",")))
        return started

    return serve


def definitions(url):
    ask = {"action": "std.http", "input": {"url": url}}
    return {
        "version": "2.0",
        # the task is tried again when its action has failed
        "ask": {"tasks": {"one": {**ask, "retry": {"count": 5, "delay": 1}}}},
        "ask_twice": {"tasks": {"one": {**ask, "on-success": ["two"]}, "two": ask}},
        "echo": {
            "tasks": {
                "one": {
                    "action": "std.echo",
                    "input": {"output": 1},
                    "on-success": ["two"],
                },
                "two": {"action": "std.noop"},
            }
        },
    }


def succeeds(client, workflow="echo"):
    return client.end_of(client.run(workflow)) == "SUCCESS"


def worker_of(server, name):
    """The pid of the newest worker that runs this service."""
    return int(server.found(rf"of {name} \(pid (\d+)\) is ready after")[-1][1])


@pytest.mark.parametrize("hub_name", EVERY_HUB, indirect=True)
def test_a_workflow_succeeds(serve, client, seen):
    server = serve("engine,executor,notifier")
    assert succeeds(client)
    server.stop()
    seen(PROGRAM, "mistral", "Ready", "engine, executor and notifier")
    seen(PROGRAM, "mistral", "Answers", "a workflow succeeds")
    seen(PROGRAM, "mistral", "TERM", "status 0")


def test_a_workflow_survives_the_death_of_its_executor(serve, client, peer, seen):
    """FAILURES row 19: the action is lost, and mistral starts it again."""
    server = serve("engine,executor")
    execution = client.run("ask")
    peer.arrival()
    since = server.now
    processes.kill(worker_of(server, "ExecutorServer"))
    server.wait_for("of ExecutorServer .* is ready after", since=since)
    peer.arrival().answer()
    assert client.end_of(execution) == "SUCCESS"
    server.stop()
    seen(PROGRAM, "mistral", "kill -9", "of the executor: its workflow succeeds")


def test_a_workflow_survives_the_death_of_its_engine(serve, client, peer, seen):
    """FAILURES row 19: the executor finds the new one."""
    server = serve("engine,executor")
    execution = client.run("ask_twice")
    first = peer.arrival()
    since = server.now
    processes.kill(worker_of(server, "EngineServer"))
    server.wait_for("of EngineServer .* is ready after", since=since)
    first.answer()
    peer.arrival().answer()
    assert client.end_of(execution) == "SUCCESS"
    server.stop()
    seen(PROGRAM, "mistral", "kill -9", "of the engine: its workflow succeeds")


def test_a_reload_replaces_the_workers_one_at_a_time(serve, client, seen):
    """FAILURES row 28."""
    server = serve("engine,executor")
    before = server.pids
    assert succeeds(client)
    since = server.now
    server.hang_up()
    after = server.pids
    assert len(after) == len(before)
    assert not set(after) & set(before)
    steps = server.found("(exited with status 0|is ready after)", since)
    assert [each[1] for each in steps] == ["exited with status 0", "is ready after"] * 2
    assert succeeds(client)
    server.stop()
    seen(PROGRAM, "mistral", "HUP", "reload: new workers, a workflow succeeds")


def test_a_loop_that_ran_in_the_parent_does_not_keep_it(serve, site, client, seen):
    """FAILURES row 33: the API builds its cron triggers' loop before the fork."""
    # In this test alone: a worker that is forked while the loop holds a lock of the
    # database's has it for ever.  The log warns of the thread.
    site.write_config(run_in_api=True)
    server = serve("api,engine")
    assert server.pids
    server.stop()
    seen(PROGRAM, "mistral", "TERM", "status 0 with a loop in the parent")


def test_all_components_are_ready(serve, client, hub_name, seen):
    components = ["api", "engine", "executor", "notifier", "periodic"]
    if hub_name != "eventlet":
        # its thread asks a queue again and again and lets no green thread run
        components.append("event-engine")
    server = serve(",".join(components))
    assert succeeds(client)
    server.stop()
    what = "all components" if hub_name != "eventlet" else "all but the event engine"
    seen(PROGRAM, "mistral", "Ready", what)
