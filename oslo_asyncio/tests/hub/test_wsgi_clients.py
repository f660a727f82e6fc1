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

"""Clients that hang, send rubbish, send too much, or go away in the middle."""

import asyncio

import pytest

from oslo_asyncio import exceptions
from oslo_asyncio import executor
from oslo_asyncio import wsgi
from oslo_asyncio.tests.hub import hanging
from oslo_asyncio.tests.hub import web

FINE = web.text(b"fine")


@pytest.fixture
def talk(run, conf):
    """Run ``async def words(client)`` with a server: ``talk(words, app, ...)``."""

    def talk(words, app=FINE, **options):
        async def main():
            async with (
                web.served(conf, app, **options) as server,
                web.connected(server) as client,
            ):
                return await words(client)

        return run(main)

    return talk


@pytest.fixture
def impatient(conf):
    """A server waits for a client for one second, the least that it can."""
    wsgi.register_opts(conf)
    conf.set_override("client_socket_timeout", 1)


class TestRubbish:
    @pytest.mark.parametrize(
        "rubbish",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET\r\n\r\n",
            b"GET / HTTP/9\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
            b"Content-Length: 2\r\n\r\nab",
            b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
    )
    def test_it_is_answered_with_400_and_the_end(self, talk, rubbish):
        async def words(client):
            client.writer.write(rubbish + b"\n\r\n\r\n")
            answer = await client.answer()
            assert answer.headers["connection"] == "close"
            assert await client.rest() == b""
            return answer.status

        assert talk(words) == 400

    def test_a_coding_that_nobody_knows_is_not_implemented(self, talk):
        async def words(client):
            client.ask("/", "Transfer-Encoding: gzip", method="POST")
            return (await client.answer()).status

        assert talk(words) == 501

    def test_rubbish_within_a_body_reaches_the_application_as_an_end(
        self, run, conf, caplog
    ):
        ends = []

        async def main():
            gate = web.Gate()

            def app(environ, start_response):
                environ["wsgi.input"].read(5)
                gate()
                try:
                    environ["wsgi.input"].read()
                except ConnectionResetError as error:
                    ends.append(error)
                    raise

            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                client.ask("/up", "Transfer-Encoding: chunked", method="PUT")
                client.writer.write(b"5\r\nhello\r\n")
                await gate.reached()
                client.writer.write(b"rubbish\r\n\r\n")
                answer = await client.answer()
                gate.open()
                return answer.status

        assert run(main) == 400
        assert isinstance(ends[0], exceptions.ClientGone)
        assert "failed" not in caplog.text

    def test_the_next_client_is_served(self, run, conf):
        async def main():
            async with web.served(conf, web.text(b"fine")) as server:
                async with web.connected(server) as client:
                    client.writer.write(b"rubbish\r\n\r\n")
                    await client.rest()
                async with web.connected(server) as client:
                    client.ask()
                    return (await client.answer()).body

        assert run(main) == b"fine"


class TestTooMuch:
    @pytest.mark.parametrize(
        ("path", "status"),
        [("/" + 99 * "x", 200), ("/" + 100 * "x", 414), ("/x?" + 98 * "x", 414)],
    )
    def test_a_url_is_as_long_as_it_may_be(self, talk, path, status):
        async def words(client):
            client.ask(path)
            return (await client.answer()).status

        assert talk(words, max_url_len=100) == status

    @pytest.mark.parametrize(("size", "status"), [(8192, 200), (8193, 414)])
    def test_it_has_a_limit_by_default(self, talk, size, status):
        async def words(client):
            client.ask("/" + "x" * (size - 1))
            return (await client.answer()).status

        assert talk(words) == status

    @pytest.mark.parametrize(("size", "status"), [(16384, 200), (16385, 431)])
    def test_a_header_is_as_long_as_it_may_be(self, talk, size, status):
        async def words(client):
            client.ask("/", "X-Auth-Token: " + "x" * (size - len("X-Auth-Token: ")))
            return (await client.answer()).status

        assert talk(words) == status

    def test_a_longer_one_can_be_configured(self, talk, conf):
        wsgi.register_opts(conf)
        conf.set_override("max_header_line", 200_000)

        async def words(client):
            client.ask("/", "X: " + "x" * 190_000)
            return (await client.answer()).status

        assert talk(words) == 200

    @pytest.mark.parametrize(
        ("start", "status"),
        [(b"GET /", 414), (b"GET / HTTP/1.1\r\nHost: test\r\nX: ", 431)],
    )
    def test_what_never_ends_is_refused_and_the_refusal_arrives(
        self, run, conf, start, status
    ):
        data = start + b"x" * 20_000_000

        async def main():
            async with web.served(conf, FINE) as server:
                said = web.say_it_all_first
                return await executor.run_blocking(said, server, data)

        assert run(main).startswith(b"HTTP/1.1 %d " % status)

    def test_many_small_headers_are_too_much_as_well(self, talk):
        async def words(client):
            client.ask("/", *(f"X-{number}: x" for number in range(20_000)))
            return (await client.answer()).status

        assert talk(words) == 431

    def test_a_refusal_arrives_at_a_client_that_sends_a_long_body(self, run, conf):
        wsgi.register_opts(conf)
        conf.set_override("wsgi_keep_alive", False)
        head = b"PUT / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        data = head + b"3e8\r\n%s\r\n" % (b"x" * 1000) * 20_000 + b"0\r\n\r\n"

        async def main():
            async with web.served(conf, web.text(b"", "401 No")) as server:
                said = web.say_it_all_first
                return await executor.run_blocking(said, server, data)

        assert run(main) == b"HTTP/1.1 401 Unauthorized\r\n"


@pytest.mark.usefixtures("impatient")
class TestHanging:
    @pytest.mark.parametrize(
        "said",
        [
            b"",
            b"GET / HT",
            b"GET / HTTP/1.1\r\nHost: tes",
            b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf",
            b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nhalf",
            b"GET / HTTP/1.1\r\nHost: test\r\n\r\n",
        ],
    )
    def test_a_client_that_says_nothing_more_is_cut_off(self, talk, said):
        def app(environ, start_response):
            environ["wsgi.input"].read()
            start_response("200 OK", [])
            return [b"whole"]

        async def words(client):
            client.writer.write(said)
            return await client.rest()

        answered = said.startswith(b"GET") and said.endswith(b"\r\n\r\n")
        assert (talk(words, app) or b"").endswith(b"whole") == answered

    def test_a_client_that_does_not_read_is_cut_off(self, talk, caplog):
        ends = []

        def app(environ, start_response):
            start_response("200 OK", [])
            try:
                while True:
                    yield b"x" * 100_000
            finally:
                ends[0]()

        async def words(client):
            ends.append(web.Gate())
            client.writer.transport.pause_reading()
            client.ask()
            await ends[0].reached()
            ends[0].open()

        talk(words, app)
        assert "failed" not in caplog.text

    def test_an_application_that_takes_its_time_is_not(self, run, conf):
        async def main():
            gate = web.Gate()

            def app(environ, start_response):
                gate()
                start_response("200 OK", [])
                return [b"at last"]

            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                client.ask()
                await gate.reached()
                [connection] = server._server.state.connections
                heard = connection._heard
                await hanging.until(lambda: connection._heard > heard)
                gate.open()
                return (await client.answer()).body

        assert run(main) == b"at last"


class TestGoingAway:
    def test_in_the_middle_of_a_body(self, run, conf, caplog):
        ends = []

        async def main():
            gate, end = web.Gate(), web.Gate()

            def app(environ, start_response):
                environ["wsgi.input"].read(2)
                gate()
                try:
                    environ["wsgi.input"].read()
                except OSError as error:
                    ends.append(error)
                    end()
                    raise

            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                client.ask("/", "Content-Length: 100000", method="PUT")
                client.writer.write(b"hello")
                await gate.reached()
                client.reset()
                gate.open()
                await end.reached()
                end.open()

        run(main)
        assert isinstance(ends[0], exceptions.ClientGone)
        assert "failed" not in caplog.text

    def test_while_its_response_is_streamed(self, talk, caplog):
        ends = []

        def app(environ, start_response):
            start_response("200 OK", [])
            try:
                while True:
                    yield b"x" * 1000
            finally:
                ends[0]()

        async def words(client):
            ends.append(web.Gate())
            client.ask()
            await client.head()
            client.reset()
            await ends[0].reached()
            ends[0].open()

        talk(words, app)
        assert "failed" not in caplog.text

    def test_an_async_stream_ends_as_well(self, talk, caplog):
        ended = asyncio.Event()

        async def app(scope, receive, send):
            if scope["type"] != "http":
                return
            await send({"type": "http.response.start", "status": 200})
            try:
                while True:
                    part = {"type": "http.response.body", "body": b"x" * 100}
                    await send({**part, "more_body": True})
                    await asyncio.sleep(0)
            finally:
                ended.set()

        async def words(client):
            client.ask()
            await client.head()
            client.reset()
            async with asyncio.timeout(web.LIMIT):
                await ended.wait()

        talk(words, app)
        assert "failed" not in caplog.text

    def test_before_its_turn_in_the_pool(self, run, conf):
        called = []

        async def main():
            gate = web.Gate()

            def app(environ, start_response):
                called.append(environ["PATH_INFO"])
                gate()
                start_response("200 OK", [])
                return [b"done"]

            async with (
                web.served(conf, app, pool_size=1) as server,
                web.connected(server) as first,
            ):
                first.ask("/first")
                await gate.reached()
                async with web.connected(server) as second:
                    second.ask("/second")
                    await hanging.until(lambda: len(server._server.state.tasks) > 1)
                    second.reset()
                    await hanging.until(lambda: server._server._open == 1)
                gate.open()
                assert (await first.answer()).body == b"done"

        run(main)
        assert called == ["/first"]

    def test_one_that_only_says_that_it_is_done_gets_its_answer(self, talk):
        async def words(client):
            client.ask("/", method="POST", body=b"all of it")
            client.writer.write_eof()
            answer = await client.answer()
            assert await client.rest() == b""
            return answer.body

        def app(environ, start_response):
            start_response("200 OK", [])
            return [environ["wsgi.input"].read()]

        assert talk(words, app) == b"all of it"
