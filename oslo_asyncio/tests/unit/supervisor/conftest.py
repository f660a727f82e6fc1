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

import functools

import pytest

from oslo_asyncio._supervisor import events
from oslo_asyncio.tests.unit.supervisor import kernel as kernel_module
from oslo_asyncio.tests.unit.supervisor import promises


@pytest.fixture
def boot():
    """A supervisor whose workers have been forked: ``boot(4, heartbeat=2.0)``.

    All promises are checked beside what the test checks.
    """

    def boot(*workers, random=lambda: 0.0, **settings):
        names = ("api", "agent", "engine")
        return kernel_module.Kernel(
            list(zip(names, workers, strict=False)),
            events.Settings(**settings),
            random,
            promises.Promises,
        )

    return boot


@pytest.fixture
def run(boot):
    """The same with workers that are all ready."""

    @functools.wraps(boot)
    def run(*workers, **options):
        made = boot(*workers, **options)
        made.cooperate()
        made.actions.clear()
        return made

    return run
