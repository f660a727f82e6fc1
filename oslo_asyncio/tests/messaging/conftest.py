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
import uuid

from oslo_config import cfg
import pytest

from oslo_asyncio import opts
from oslo_asyncio.tests.messaging import peers
from oslo_asyncio.tests.messaging import programs
from oslo_asyncio.tests.messaging import served
from oslo_asyncio.tests.openstack import rabbitmq

if importlib.util.find_spec("oslo_messaging") is None:
    collect_ignore_glob = ["test_*"]  # run tox -e messaging
else:
    peers.load()


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """The URL of a RabbitMQ."""
    yield from rabbitmq.transport_url(tmp_path_factory.mktemp("rabbitmq"))


@pytest.fixture(params=["fake", "memory", "rabbit"])
def url(request):
    """A transport, each in its turn."""
    if request.param == "rabbit":
        return request.getfixturevalue("broker")
    return {"fake": "fake://", "memory": "kombu+memory:////"}[request.param]


@pytest.fixture
def topic():
    return f"topic-{uuid.uuid4().hex}"


@pytest.fixture
def options():
    """Set options of the program: ``options(rpc_concurrency=2)``."""
    opts.register(cfg.CONF)
    set_here = []

    def set_options(**values):
        for name, value in values.items():
            group = None if name in ("graceful_shutdown_timeout",) else opts.GROUP
            cfg.CONF.set_override(name, value, group=group)
            set_here.append((name, group))

    yield set_options
    for name, group in set_here:
        cfg.CONF.clear_override(name, group=group)


@pytest.fixture
def serve(hub, url, topic):
    """Serve endpoints: ``serve(endpoint, ...)``; all are stopped afterwards."""
    made = []

    def begin(*endpoints, **arguments):
        made.append(served.Served(url, topic, endpoints, **arguments))
        return made[-1]

    yield begin
    for each in made:
        each.close()


@pytest.fixture
def start(hub_name):
    """Start a program of this package: ``start(module, *arguments)``."""
    made = []

    def begin(module, *arguments):
        made.append(programs.Program(module, hub_name, *arguments))
        return made[-1]

    yield begin
    for each in made:
        each.close()
