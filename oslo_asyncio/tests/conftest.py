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

import os

from oslo_config import cfg
import pytest

from oslo_asyncio import hub as hub_module


@pytest.fixture
def conf():
    """A configuration of its own, without files."""
    made = cfg.ConfigOpts()
    made([], default_config_files=[], default_config_dirs=[])
    return made


@pytest.fixture
def hub_name():
    """The hub that this test process runs on."""
    return os.environ.get(hub_module.ENVIRONMENT, "asyncio")


@pytest.fixture
def hub(conf):
    """The hub that this test process runs on, loaded."""
    return hub_module.load(conf)


@pytest.fixture
def loop(hub):
    """A new loop of the hub, closed afterwards."""
    made = hub.new_event_loop()
    yield made
    if not made.is_closed():
        made.run_until_complete(made.shutdown_asyncgens())
        made.run_until_complete(made.close_pools(1))
        made.close()


@pytest.fixture
def run(loop):
    """Run an async function on a new loop: ``run(func, *args)``."""
    return lambda func, *args: loop.run_until_complete(func(*args))
