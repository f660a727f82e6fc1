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

import signal

import pytest

from oslo_asyncio.tests.functional import program

# Whoever runs the tests with nohup ignores SIGHUP, and so would the programs.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(params=["asyncio", "uvloop", "eventlet"])
def hub_name(request):
    """Each hub in turn."""
    return request.param


@pytest.fixture
def start(tmp_path, hub_name):
    """Start a program on the hub: ``start(source, **options)``; see Program."""
    made = []

    def start(source, hub=None, **options):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(program.Program(folder, hub or hub_name, source, **options))
        return made[-1]

    yield start
    for each in made:
        each.close()
