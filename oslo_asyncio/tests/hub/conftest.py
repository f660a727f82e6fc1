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

import ssl

import pytest
import trustme

from oslo_asyncio import _unpatched
from oslo_asyncio import executor
from oslo_asyncio.tests.hub import hanging


@pytest.fixture(autouse=True)
def _pools_of_its_own():
    """Each test starts without pools, so that figures and sizes are its own."""
    executor._pools.clear()
    executor.configure({}, 10.0)
    yield
    executor._pools.clear()
    executor.configure({}, 10.0)


@pytest.fixture
def hang(loop):
    """A call that hangs until the test ends, or lets it go."""
    with hanging.Hanging(loop) as made:
        yield made


@pytest.fixture
def names(loop, monkeypatch):
    """Look-ups of names under ``.hang.test`` hang; all others are real.

    Let go, they answer with the addresses of localhost.
    """
    real = _unpatched.socket.getaddrinfo
    with hanging.Hanging(loop) as made:

        def look_up(host, *args, **kwargs):
            if isinstance(host, str) and host.endswith(".hang.test"):
                made()
                host = "localhost"
            return real(host, *args, **kwargs)

        monkeypatch.setattr(_unpatched.socket, "getaddrinfo", look_up)
        yield made


@pytest.fixture(scope="session")
def authority():
    """A certificate authority."""
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority):
    """TLS for a server that is called localhost."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def client_tls(authority):
    """TLS for a client that trusts the authority and checks names."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
