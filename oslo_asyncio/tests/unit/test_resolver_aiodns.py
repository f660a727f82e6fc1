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

"""What c-ares reports, in the words of the socket module."""

import socket

import pytest

aiodns = pytest.importorskip("aiodns")
pycares = pytest.importorskip("pycares")
_aiodns = pytest.importorskip("oslo_asyncio._resolvers._aiodns")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("ARES_ENOTFOUND", socket.EAI_NONAME),
        ("ARES_ENODATA", socket.EAI_NODATA),
        ("ARES_ETIMEOUT", socket.EAI_AGAIN),
        ("ARES_ECONNREFUSED", socket.EAI_AGAIN),
        ("ARES_ESERVFAIL", socket.EAI_AGAIN),
        ("ARES_EBADRESP", socket.EAI_FAIL),
    ],
)
def test_errors_become_those_of_the_socket_module(theirs, ours):
    number = getattr(pycares.errno, theirs)
    error = _aiodns._as_gaierror(aiodns.error.DNSError(number, "the reason"))
    assert isinstance(error, socket.gaierror)
    assert (error.errno, error.strerror) == (ours, "the reason")


def test_an_error_without_a_number_is_a_failure():
    error = _aiodns._as_gaierror(aiodns.error.DNSError())
    assert error.errno == socket.EAI_FAIL


@pytest.mark.parametrize(
    ("port", "number"),
    [(None, 0), (80, 80), ("80", 80), (b"80", 80), ("http", 80), (b"http", 80)],
)
def test_ports_become_numbers(port, number):
    assert _aiodns._port_number(port) == number


def test_an_unknown_service_is_the_socket_modules_error():
    with pytest.raises(socket.gaierror) as caught:
        _aiodns._port_number("no-such-service")
    assert caught.value.errno == socket.EAI_SERVICE
