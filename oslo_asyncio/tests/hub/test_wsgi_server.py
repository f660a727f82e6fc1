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

"""A server as a service: its socket, its start, its drain and its end."""

import asyncio
import contextlib
import os
import socket
import ssl
import threading

from oslo_config import cfg
import pytest
import trustme

from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions
from oslo_asyncio import service
from oslo_asyncio import wsgi
from oslo_asyncio.tests.hub import hanging
from oslo_asyncio.tests.hub import web

HELLO = web.text(b"hello")


@pytest.fixture
def tls(conf, tmp_path):
    """A configuration with a certificate; what a client needs to trust it."""
    from oslo_asyncio import sslutils

    authority = trustme.CA()
    made = authority.issue_cert("localhost")
    made.private_key_pem.write_to_path(tmp_path / "key")
    for part in made.cert_chain_pems:
        part.write_to_path(tmp_path / "cert", append=True)
    sslutils.register_opts(conf)
    conf.set_override("cert_file", os.fspath(tmp_path / "cert"), "ssl")
    conf.set_override("key_file", os.fspath(tmp_path / "key"), "ssl")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return {"ssl": context, "server_hostname": "localhost"}


def is_refused(server):
    """Whether nobody listens where the server did."""
    with _unpatched.socket.socket() as probe:
        return probe.connect_ex((server.host, server.port)) != 0


class TestSocket:
    def test_it_listens_before_it_is_started(self, conf):
        server = wsgi.Server(conf, "test", HELLO, "127.0.0.1")
        with contextlib.closing(server.socket):
            assert (server.host, server.name, server.app) == (
                "127.0.0.1",
                "test",
                HELLO,
            )
            assert server.port == server.socket.getsockname()[1] > 0
            assert server.conf is conf
            assert not is_refused(server)

    def test_tcp_connections_are_kept_alive(self, conf):
        wsgi.register_opts(conf)
        conf.set_override("tcp_keepidle", 500)
        server = wsgi.Server(conf, "test", HELLO, "127.0.0.1")
        with contextlib.closing(server.socket) as sock:
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 500

    def test_a_subclass_sets_options_of_its_own(self, run, conf):
        class Server(wsgi.Server):
            def _set_socket_opts(self, sock):
                sock = super()._set_socket_opts(sock)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 7)
                return sock

        async def main():
            async with (
                web.served(conf, HELLO, Server) as server,
                web.connected(server) as client,
            ):
                count = server.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
                client.ask()
                return count, (await client.answer()).body

        assert run(main) == (7, b"hello")

    def test_ipv6(self, run, conf):
        async def main():
            async with (
                web.served(conf, HELLO, host="::1") as server,
                web.connected(server) as client,
            ):
                client.say("GET / HTTP/1.1")
                assert server.host == "::1"
                return (await client.answer()).body

        assert run(main) == b"hello"

    def test_a_unix_socket(self, run, conf, tmp_path):
        path = os.fspath(tmp_path / "socket")

        def app(environ, start_response):
            start_response("200 OK", [])
            return [
                environ["REMOTE_ADDR"].encode(),
                b"|",
                environ["PATH_INFO"].encode(),
            ]

        options = {"socket_family": socket.AF_UNIX, "socket_file": path}

        async def main():
            async with (
                web.served(conf, app, **options, socket_mode=0o640) as server,
                web.connected(server) as client,
            ):
                assert (server.host, server.port) == (path, 0)
                assert os.stat(path).st_mode & 0o777 == 0o640
                client.ask("/x")
                assert (await client.answer()).body == b"|/x"
                await server.stop()
                await server.wait()
                await server.start()
                async with web.connected(server) as again:
                    again.ask("/y")
                    return (await again.answer()).body

        assert run(main) == b"|/y"

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"backlog": 0}, "backlog=0 is not valid: it has to be at least 1"),
            ({"pool_size": -1}, "pool_size=-1 is not valid: it is negative"),
            (
                {"socket_family": socket.AF_UNIX},
                "socket_file=None is not valid: a UNIX socket needs the path of a file",
            ),
            (
                {"socket_family": 99},
                "socket_family=99 is not valid: use AF_INET, AF_INET6 or AF_UNIX",
            ),
            (
                {"interface": "cgi"},
                "interface='cgi' is not valid: use one of auto, wsgi, asgi",
            ),
        ],
    )
    def test_arguments_that_make_no_sense(self, conf, options, sentence):
        with pytest.raises(wsgi.InvalidInput) as caught:
            wsgi.Server(conf, "test", HELLO, **options)
        assert str(caught.value) == sentence

    def test_an_address_that_is_taken(self, conf):
        with _unpatched.socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}: "):
                wsgi.Server(conf, "test", HELLO, "127.0.0.1", port)

    def test_a_log_format_that_cannot_be_used(self, conf):
        wsgi.register_opts(conf)
        conf.set_override("wsgi_log_format", "%(who)s")
        with pytest.raises(exceptions.InvalidOption, match="wsgi_log_format"):
            wsgi.Server(conf, "test", HELLO)

    def test_an_option_out_of_range(self, conf):
        conf.register_opt(cfg.IntOpt("wsgi_default_pool_size", default=100))
        conf.set_override("wsgi_default_pool_size", 0)
        with pytest.raises(exceptions.InvalidOption, match="wsgi_default_pool_size"):
            wsgi.Server(conf, "test", HELLO)

    def test_a_protocol_class_is_named_as_unused(self, conf, caplog):
        server = wsgi.Server(conf, "test", HELLO, protocol=asyncio.Protocol)
        server.socket.close()
        assert "the protocol class Protocol is not used" in caplog.text


class TestDrain:
    def test_a_request_that_runs_ends_and_nobody_else_gets_in(self, run, conf):
        async def main():
            gate = web.Gate()

            def app(environ, start_response):
                gate()
                start_response("200 OK", [])
                return [b"done"]

            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                client.ask()
                await gate.reached()
                await server.stop()
                waiting = asyncio.ensure_future(server.wait())
                assert is_refused(server)
                await hanging.turns()
                assert not waiting.done()
                gate.open()
                answer = await client.answer()
                await waiting
                assert answer.headers["connection"] == "close"
                assert await client.rest() == b""
                return answer.body

        assert run(main) == b"done"

    def test_an_idle_connection_is_closed_at_once(self, run, conf):
        async def main():
            async with (
                web.served(conf, HELLO) as server,
                web.connected(server) as client,
            ):
                client.ask()
                await client.answer()
                await server.stop()
                assert await client.rest() == b""
                await server.wait()

        run(main)

    def test_a_request_that_has_arrived_is_not_idle(self, run, conf):
        async def main():
            async with (
                web.served(conf, HELLO) as server,
                web.connected(server) as client,
            ):
                client.ask()
                await client.answer()
                client.ask()  # in the kernel, and nobody has read it
                await server.stop()
                return (await client.answer()).body

        assert run(main) == b"hello"

    @pytest.mark.parametrize("said", [b"", b"GET / HT"])
    def test_a_new_connection_may_still_send_its_request(self, run, conf, said):
        async def main():
            async with (
                web.served(conf, HELLO) as server,
                web.connected(server) as client,
            ):
                client.writer.write(said)
                await hanging.until(lambda: server._server._open)
                await server.stop()
                whole = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
                client.writer.write(whole[len(said) :])
                return (await client.answer()).body

        assert run(main) == b"hello"

    def test_but_not_for_ever(self, run, conf):
        async def main():
            async with (
                web.served(conf, HELLO) as server,
                web.connected(server) as client,
            ):
                await hanging.until(lambda: server._server._open)
                await server.stop()
                await server.wait()
                return await client.rest()

        assert run(main) == b""

    def test_a_client_that_is_gone_leaves_its_request_to_be_waited_for(self, run, conf):
        ended = []

        async def main():
            gate = web.Gate()

            def app(environ, start_response):
                gate()
                ended.append(True)
                start_response("200 OK", [])
                return []

            async with web.served(conf, app) as server:
                async with web.connected(server) as client:
                    client.ask()
                    await gate.reached()
                    client.reset()
                    await hanging.until(lambda: server._server._open == 0)
                await server.stop()
                waiting = asyncio.ensure_future(server.wait())
                await hanging.turns()
                assert not waiting.done()
                gate.open()
                await waiting

        run(main)
        assert ended == [True]

    def test_without_keep_alive_each_request_has_a_connection(self, run, conf):
        wsgi.register_opts(conf)
        conf.set_override("wsgi_keep_alive", False)

        async def main():
            async with (
                web.served(conf, HELLO) as server,
                web.connected(server) as client,
            ):
                client.ask()
                answer = await client.answer()
                assert await client.rest() == b""
                return answer.headers["connection"]

        assert run(main) == "close"


class TestLife:
    def test_it_can_be_started_again_on_the_same_port(self, run, conf):
        async def main():
            async with web.served(conf, HELLO) as server:
                port = server.port
                for _ in range(3):
                    await server.start()  # twice changes nothing
                    async with web.connected(server) as client:
                        client.ask()
                        assert (await client.answer()).body == b"hello"
                    await server.stop()
                    await server.stop()
                    await server.wait()
                    assert server._server.dead
                    server.reset()
                    await server.start()
                return port == server.port

        assert run(main)

    def test_sync_code_without_a_launcher(self, conf):
        server = wsgi.Server(conf, "test", HELLO, "127.0.0.1")
        for _ in range(2):
            server.start()
            with socket.create_connection((server.host, server.port)) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                with client.makefile("rb") as file:
                    assert file.read().endswith(b"\r\n\r\nhello")
            server.stop()
            server.wait()
            assert is_refused(server)

    def test_stop_and_wait_of_one_that_was_never_started(self, conf):
        server = wsgi.Server(conf, "test", HELLO, "127.0.0.1")
        server.stop()
        server.wait()
        server.socket.close()

    def test_an_application_may_stop_its_server(self, run, conf):
        servers = []

        def app(environ, start_response):
            servers[0].stop()
            start_response("200 OK", [])
            return [b"the last"]

        async def main():
            async with web.served(conf, app) as server:
                servers.append(server)
                async with web.connected(server) as client:
                    client.ask()
                    body = (await client.answer()).body
                await server.wait()
                return body

        assert run(main) == b"the last"

    def test_reset_takes_the_options_anew(self, conf):
        server = wsgi.Server(conf, "test", HELLO, "127.0.0.1")
        fixed = wsgi.Server(conf, "test", HELLO, "127.0.0.1", pool_size=5)
        with contextlib.closing(server.socket), contextlib.closing(fixed.socket):
            conf.set_override("wsgi_default_pool_size", 7)
            server.reset()
            fixed.reset()
            assert (server.pool_size, fixed.pool_size) == (7, 5)

    def test_an_asgi_application_may_refuse_to_start(self, run, conf):
        async def app(scope, receive, send):
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "no"})

        server = wsgi.Server(conf, "test", app, "127.0.0.1")

        async def main():
            with pytest.raises(exceptions.ApplicationNotStarted):
                await server.start()
            await server.stop()
            await server.wait()

        with contextlib.closing(server.socket):
            run(main)

    def test_it_is_a_service(self, conf):
        server = wsgi.Server(conf, "test", HELLO, "127.0.0.1")
        with contextlib.closing(server.socket):
            assert isinstance(server, service.ServiceBase)


class TestTls:
    def test_a_request(self, run, conf, tls):
        def app(environ, start_response):
            start_response("200 OK", [])
            return [environ["wsgi.url_scheme"].encode()]

        async def main():
            async with (
                web.served(conf, app, use_ssl=True) as server,
                web.connected(server, **tls) as client,
            ):
                for _ in range(2):
                    client.ask("/", "Expect: 100-continue", method="PUT", body=b"x")
                    answer = await client.answer()
                    while answer.status == 100:
                        answer = await client.answer()
                    assert answer.body == b"https"
                    client.ask()
                    if answer.headers.get("connection") == "close":
                        break
                    await client.answer()

        run(main)

    def test_head_and_body_of_a_response_are_one_record(self, run, conf, tls):
        class Recorder:
            def __init__(self, real):
                self.real = real
                self.written = []

            def write(self, data):
                self.written.append(data)
                self.real.write(data)

            def __getattr__(self, name):
                return getattr(self.real, name)

        async def main():
            async with (
                web.served(conf, HELLO, use_ssl=True) as server,
                web.connected(server, **tls) as client,
            ):
                await hanging.until(lambda: server._server._open)
                [connection] = server._server.state.connections
                recorder = connection._held.real = Recorder(connection._held.real)
                client.ask()
                await client.answer()
                return recorder.written

        [written] = run(main)
        assert written.endswith(b"\r\n\r\nhello")

    def test_an_idle_client_that_does_not_say_goodbye_holds_nothing(
        self, run, conf, tls
    ):
        async def main():
            async with (
                web.served(conf, HELLO, use_ssl=True) as server,
                web.connected(server, **tls) as client,
            ):
                client.ask()
                await client.answer()
                client.writer.transport.pause_reading()
                await server.stop()
                async with asyncio.timeout(10):  # asyncio would wait for 30 s
                    await server.wait()
                client.writer.transport.abort()

        run(main)

    def test_a_client_without_tls_is_cut_off(self, run, conf, tls):
        async def main():
            async with web.served(conf, HELLO, use_ssl=True) as server:
                async with web.connected(server) as plain:
                    plain.ask()
                    assert b"200" not in (await plain.rest() or b"")
                async with web.connected(server, **tls) as client:
                    client.ask()
                    return (await client.answer()).body

        assert run(main) == b"hello"

    def test_without_a_certificate_it_is_refused_before_any_fork(self, conf):
        with pytest.raises(exceptions.InvalidTls):
            wsgi.Server(conf, "test", HELLO, use_ssl=True)


def test_many_clients_at_once(run, conf):
    """Twenty requests that block for a moment take one moment, not twenty."""
    most = []

    async def main():
        running = []
        barrier = threading.Barrier(20)

        def app(environ, start_response):
            running.append(1)
            barrier.wait(web.LIMIT)
            most.append(len(running))
            start_response("200 OK", [])
            return [b"done"]

        async def one(server):
            async with web.connected(server) as client:
                client.ask()
                return (await client.answer()).body

        async with web.served(conf, app) as server:
            return await asyncio.gather(*(one(server) for _ in range(20)))

    assert run(main) == [b"done"] * 20
    assert max(most) == 20
