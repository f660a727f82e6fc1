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

"""The resolver that the configuration names."""

import asyncio
import socket

import pytest

from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module
from oslo_asyncio import opts


@pytest.fixture
def configured(conf):
    """A new loop with a resolver by name; the default afterwards."""
    loops = []

    def configured(name):
        opts.register(conf)
        conf.set_override("resolver", name, group=opts.GROUP)
        loops.append(hub_module.load(conf).new_event_loop())
        return loops[-1]

    yield configured
    for loop in loops:
        loop.close()
    conf.clear_override("resolver", group=opts.GROUP)
    hub_module.load(conf)


def test_an_unknown_resolver_is_refused_with_the_names_of_the_others(configured):
    def use():
        loop = configured("bind")
        loop.run_until_complete(loop.getaddrinfo("localhost", 80))

    with pytest.raises(exceptions.ResolverNotFound) as caught:
        use()
    assert "resolver 'bind' is not installed; installed: " in str(caught.value)
    assert "aiodns" in caught.value.installed
    assert "threads" in caught.value.installed
    assert str(caught.value).endswith("set [oslo_asyncio] resolver")


def test_row_43_another_resolver_is_chosen_by_name_and_reads_the_hosts_file(configured):
    loop = configured("aiodns")
    look_up = loop.getaddrinfo(
        "localhost", 80, family=socket.AF_INET, type=socket.SOCK_STREAM
    )
    [first, *_others] = loop.run_until_complete(look_up)
    tcp = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    assert first == (*tcp, "", ("127.0.0.1", 80))


def test_aiodns_answers_once_per_type_as_the_system_does(configured):
    loop = configured("aiodns")
    look_up = loop.getaddrinfo("localhost", "http", family=socket.AF_INET)
    found = loop.run_until_complete(look_up)
    assert {socket.SOCK_STREAM, socket.SOCK_DGRAM} <= {entry[1] for entry in found}
    assert {entry[4] for entry in found} == {("127.0.0.1", 80)}


def test_aiodns_names_addresses(configured):
    loop = configured("aiodns")
    look_up = loop.getnameinfo(("127.0.0.1", 80))
    assert loop.run_until_complete(look_up) == ("localhost", "http")


def test_aiodns_is_not_asked_for_addresses(configured):
    loop = configured("aiodns")
    look_up = loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
    [found] = loop.run_until_complete(look_up)
    assert found[4] == ("127.0.0.1", 80)


def test_aiodns_refuses_an_unknown_service(configured):
    loop = configured("aiodns")
    with pytest.raises(socket.gaierror) as caught:
        loop.run_until_complete(loop.getaddrinfo("localhost", "no-such-service"))
    assert caught.value.errno == socket.EAI_SERVICE


def test_aiodns_connects_by_name(configured):
    loop = configured("aiodns")

    async def main():
        async def handle(_reader, writer):
            writer.write(b"hello")
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("localhost", port)
        answer = await reader.read()
        writer.close()
        server.close()
        await server.wait_closed()
        return answer

    assert loop.run_until_complete(main()) == b"hello"


def test_row_43_the_systems_resolver_is_the_default(hub):
    made_by = hub_module.resolver_options()["made_by"]
    assert made_by.__name__ == "ThreadResolver"
