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

"""What an application is told, and what becomes of its answer."""

import asyncio
import io
import json
import logging
import sys

import pytest

from oslo_asyncio import hub as hub_module
from oslo_asyncio import wsgi
from oslo_asyncio.tests.hub import web


@pytest.fixture
def ask(run, conf):
    """The answer of an application to one request: ``ask(app, path, ...)``."""

    def ask(app, *request, options=None, bodiless=False, **more):
        async def main():
            async with (
                web.served(conf, app, **(options or {})) as server,
                web.connected(server) as client,
            ):
                client.ask(*request, **more)
                return await client.answer(bodiless)

        return run(main)

    return ask


class TestEnviron:
    @pytest.fixture
    def environ(self, ask):
        """The environ of a request, as far as JSON can say it."""

        def environ(*request, **more):
            def app(environ, start_response):
                start_response("200 OK", [])
                kept = (str, int, bool, tuple)
                found = {k: v for k, v in environ.items() if isinstance(v, kept)}
                return [json.dumps(found).encode()]

            return json.loads(ask(app, *request, **more).body)

        return environ

    def test_a_url(self, environ):
        found = environ("/v1/a%2Fb%20c%C3%A9?x=1&y=%20")
        assert found["REQUEST_METHOD"] == "GET"
        assert found["SCRIPT_NAME"] == ""
        assert found["PATH_INFO"].encode("latin-1").decode() == "/v1/a/b cé"
        assert found["RAW_PATH_INFO"] == "/v1/a%2Fb%20c%C3%A9"
        assert found["QUERY_STRING"] == "x=1&y=%20"
        assert found["SERVER_PROTOCOL"] == "HTTP/1.1"

    def test_a_url_with_a_host_is_a_path(self, environ):
        assert environ("http://test:80/v1?x=1")["PATH_INFO"] == "/v1"
        assert environ("http://test")["PATH_INFO"] == "/"

    def test_who_speaks_to_whom(self, environ):
        found = environ("/")
        assert found["REMOTE_ADDR"] == found["SERVER_NAME"] == "127.0.0.1"
        assert 0 < int(found["REMOTE_PORT"]) != int(found["SERVER_PORT"]) > 0

    def test_what_pep_3333_asks_for(self, environ):
        found = environ("/")
        assert found["wsgi.url_scheme"] == "http"
        assert found["wsgi.version"] == [1, 0]
        assert found["wsgi.multithread"] is True
        assert found["wsgi.multiprocess"] is False
        assert found["wsgi.run_once"] is False

    def test_headers(self, environ):
        found = environ(
            "/",
            "X-Auth-Token: secret",
            "Accept: a",
            "accept: b",
            "Cookie: a=1",
            "Cookie: b=2",
            "Content-Type: text/json",
            method="POST",
            body=b"{}",
        )
        assert found["HTTP_HOST"] == "test"
        assert found["HTTP_X_AUTH_TOKEN"] == "secret"
        assert found["HTTP_ACCEPT"] == "a,b"
        assert found["HTTP_COOKIE"] == "a=1; b=2"
        assert found["CONTENT_TYPE"] == "text/json"
        assert found["CONTENT_LENGTH"] == "2"
        assert "HTTP_CONTENT_LENGTH" not in found

    def test_a_header_with_an_underscore_passes_for_no_other(self, environ):
        found = environ("/", "X_Forwarded_For: 10.0.0.1")
        assert "HTTP_X_FORWARDED_FOR" not in found

    def test_a_request_of_http_1_1_may_lack_the_host(self, run, conf):
        async def main():
            async with (
                web.served(conf, web.text(b"alive")) as server,
                web.connected(server) as client,
            ):
                for _ in range(2):
                    client.say("GET / HTTP/1.1")
                    assert (await client.answer()).body == b"alive"

        run(main)


class TestBody:
    @staticmethod
    def echo(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    @pytest.mark.parametrize("size", [0, 1, 65536, 65537, 5_000_000])
    def test_it_is_read_to_its_end(self, ask, size):
        body = bytes(size)
        assert ask(self.echo, method="POST", body=body).body == body

    def test_it_is_a_file_with_lines(self, ask):
        def app(environ, start_response):
            start_response("200 OK", [])
            file = environ["wsgi.input"]
            first = file.readline()
            return [first, file.read(3), b"|", *file]

        for count in (5, 50_000):
            body = b"a line\n" * count
            found = ask(app, method="POST", body=body).body
            assert found == body[:10] + b"|" + body[10:]

    def test_a_chunked_one_has_an_end(self, run, conf):
        async def main():
            async with (
                web.served(conf, self.echo) as server,
                web.connected(server) as client,
            ):
                client.ask("/", "Transfer-Encoding: chunked", method="PUT")
                client.writer.write(b"5\r\nhello\r\n")
                await asyncio.sleep(0)
                client.writer.write(b"1\r\n!\r\n0\r\n\r\n")
                return (await client.answer()).body

        assert run(main) == b"hello!"

    def test_what_an_application_does_not_read_is_not_the_next_request(self, run, conf):
        async def main():
            async with (
                web.served(conf, web.text(b"no, thanks")) as server,
                web.connected(server) as client,
            ):
                for _ in range(2):
                    client.ask(method="POST", body=b"x" * 200_000)
                    assert (await client.answer()).body == b"no, thanks"

        run(main)

    def test_a_client_that_expects_100_continue_is_told_when_somebody_reads(
        self, run, conf
    ):
        async def main():
            async with (
                web.served(conf, self.echo) as server,
                web.connected(server) as client,
            ):
                headers = ("Expect: 100-continue", "Content-Length: 5")
                client.ask("/", *headers, method="PUT")
                assert (await client.answer()).status == 100
                client.writer.write(b"hello")
                return (await client.answer()).body

        assert run(main) == b"hello"

    def test_and_can_be_refused_before_it_has_sent_the_body(self, run, conf):
        async def main():
            async with (
                web.served(conf, web.text(b"", "413 Too Large")) as server,
                web.connected(server) as client,
            ):
                headers = ("Expect: 100-continue", "Content-Length: 5")
                client.ask("/", *headers, method="PUT")
                answer = await client.answer()
                # whether five more bytes are a body, nobody would know
                assert answer.headers["connection"] == "close"
                assert await client.rest() == b""
                return answer.status

        assert run(main) == 413


class TestResponse:
    def test_a_list_has_a_length(self, ask):
        def app(environ, start_response):
            start_response("201 Created", [("X-Is", "it")])
            return [b"one, ", b"two"]

        answer = ask(app)
        assert (answer.status, answer.body) == (201, b"one, two")
        assert answer.headers["content-length"] == "8"
        assert answer.headers["x-is"] == "it"
        assert answer.headers["date"].endswith("GMT")

    def test_text_and_a_dict_of_headers_pass_as_they_did_with_eventlet(self, ask):
        def app(environ, start_response):
            start_response("200 OK", {})
            return ["PONG"]

        assert ask(app).body == b"PONG"

    def test_the_write_callable_works(self, ask):
        def app(environ, start_response):
            write = start_response("200 OK", [])
            write(b"one, ")
            write(b"two")
            return []

        assert ask(app).body == b"one, two"

    def test_parts_are_sent_as_they_come_and_the_rest_is_closed(self, run, conf):
        closed = []

        class Parts:
            def __iter__(self):
                yield b""
                yield b"one"
                gates[0]()
                yield b"two"

            def close(self):
                closed.append(True)

        def app(environ, start_response):
            start_response("200 OK", [])
            return Parts()

        gates = []

        async def main():
            gates.append(web.Gate())
            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                client.ask()
                await client.head()
                assert await client.chunk() == b"one"
                gates[0].open()
                assert await client.chunk() == b"two"
                assert await client.chunk() == b""
                assert closed == [True]

        run(main)

    def test_a_large_one_waits_for_its_reader(self, run, conf):
        size = 30_000_000
        sent = []

        def app(environ, start_response):
            start_response("200 OK", [("Content-Length", str(size))])
            for _ in range(size // 100_000):
                sent.append(100_000)
                yield b"x" * 100_000

        async def main():
            async with (
                web.served(conf, app) as server,
                web.connected(server, limit=65536) as client,
            ):
                client.ask()
                await client.head()
                assert sum(sent) < size
                return len(await client.reader.readexactly(size))

        assert run(main) == size

    @pytest.mark.parametrize("method", ["HEAD", "GET"])
    @pytest.mark.parametrize("status", ["200 OK", "204 No Content", "304 Not Modified"])
    def test_where_there_is_no_body_none_is_sent(self, run, conf, method, status):
        app = web.text(b"body", status)

        async def main():
            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                for _ in range(2):
                    client.ask(method=method)
                    answer = await client.answer(bodiless=method == "HEAD")
                    assert answer.status == int(status[:3])
                    sent = method == "GET" and answer.status == 200
                    assert answer.body == (b"body" if sent else b"")

        run(main)

    def test_http_1_0_ends_with_the_connection(self, run, conf):
        def app(environ, start_response):
            start_response("200 OK", [])
            yield b"one, "
            yield b"two"

        async def main():
            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                client.say("GET / HTTP/1.0")
                answer = await client.answer()
                assert "transfer-encoding" not in answer.headers
                return answer.body

        assert run(main) == b"one, two"

    def test_pipelined_requests_are_answered_in_order(self, run, conf):
        def app(environ, start_response):
            start_response("200 OK", [])
            return [environ["PATH_INFO"].encode()]

        async def main():
            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                for number in range(5):
                    client.ask(f"/{number}")
                return [(await client.answer()).body for _ in range(5)]

        assert run(main) == [b"/0", b"/1", b"/2", b"/3", b"/4"]

    def test_start_response_may_be_called_again_with_an_error(self, ask):
        def app(environ, start_response):
            start_response("200 OK", [])
            try:
                raise ZeroDivisionError
            except ZeroDivisionError:
                start_response("502 Bad Gateway", [], sys.exc_info())
            return [b"sorry"]

        assert (ask(app).status, ask(app).body) == (502, b"sorry")


def raises(environ, start_response):
    raise ZeroDivisionError("the application's")


def exits(environ, start_response):
    sys.exit("the application's")


def twice(environ, start_response):
    start_response("200 OK", [])
    start_response("200 OK", [])


def silent(environ, start_response):
    return [b"no head"]


def bad_header(environ, start_response):
    start_response("200 OK", [("X-Bad", "a\r\nb")])
    return [b"x"]


async def async_raises(scope, receive, send):
    if scope["type"] == "http":
        raise ZeroDivisionError("the application's")


async def async_silent(scope, receive, send):
    pass


class TestFailure:
    @pytest.mark.parametrize(
        "app",
        [None, raises, exits, twice, silent, bad_header, async_raises, async_silent],
    )
    def test_an_application_that_fails_is_a_500_and_a_line_in_the_log(
        self, run, conf, caplog, app
    ):
        async def main():
            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                for _ in range(2):
                    client.ask("/broken")
                    answer = await client.answer()
                    assert (answer.status, answer.body) == (500, b"")

        run(main)
        failed = [r for r in caplog.records if r.getMessage() == "GET /broken failed"]
        assert len(failed) == 2
        assert failed[0].exc_info
        assert failed[0].name == "oslo_asyncio.wsgi.server"

    def test_debugging_sends_the_traceback(self, ask, conf):
        wsgi.register_opts(conf)
        conf.set_override("wsgi_server_debug", True)
        body = ask(raises).body.decode()
        assert body.startswith("Traceback")
        assert body.endswith("ZeroDivisionError: the application's\n")

    def test_a_response_that_breaks_off_does_not_look_whole(self, run, conf, caplog):
        def app(environ, start_response):
            start_response("200 OK", [])
            yield b"one"
            raise ZeroDivisionError

        async def main():
            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                client.ask()
                await client.head()
                rest = await client.rest()
                assert rest is None or not rest.endswith(b"0\r\n\r\n")

        run(main)
        assert "GET / failed" in caplog.text

    def test_too_little_body_for_its_length_does_not_look_whole(self, run, conf):
        app = web.text(b"four", headers=[("Content-Length", "10")])

        async def main():
            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                client.ask()
                await client.head()
                assert await client.rest() in (None, b"", b"four")

        run(main)


class TestLog:
    @pytest.fixture
    def lines(self, caplog):
        caplog.set_level(logging.INFO, "access")
        return lambda: [r.getMessage() for r in caplog.records if r.name == "access"]

    def test_the_default_line(self, ask, lines):
        ask(web.text(b"four"), "/x?y=1", options={"logger_name": "access"})
        [line] = lines()
        start = '127.0.0.1 "GET /x?y=1 HTTP/1.1" status: 200  len: 4 time: 0.'
        assert line.startswith(start)

    def test_a_format_of_ones_own(self, ask, conf, lines):
        wsgi.register_opts(conf)
        form = "%(date_time)s %(client_ip)s %(status_code)s %(body_length)d"
        conf.set_override("wsgi_log_format", form)
        forwarded = "X-Forwarded-For: 10.0.0.1, 10.0.0.2"
        ask(web.text(b""), "/", forwarded, options={"logger_name": "access"})
        [line] = lines()
        assert line.endswith(" 10.0.0.1,10.0.0.2,127.0.0.1 200 0")

    def test_it_is_written_for_what_is_refused_as_well(self, ask, lines):
        options = {"logger_name": "access", "max_url_len": 10}
        ask(web.text(b""), "/" + 10 * "x", options=options)
        assert "status: 414" in lines()[0]


class TestAsgi:
    @staticmethod
    async def echo(scope, receive, send):
        if scope["type"] != "http":
            raise AssertionError(scope["type"])
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 202})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"!"})

    def test_an_async_function_is_one(self, ask):
        answer = ask(self.echo, method="POST", body=b"hello" * 50_000)
        assert (answer.status, answer.body) == (202, b"hello" * 50_000 + b"!")

    def test_an_object_with_an_async_call_is_one(self, ask):
        class App:
            async def __call__(self, scope, receive, send):
                await TestAsgi.echo(scope, receive, send)

        assert ask(App(), method="POST", body=b"hi").body == b"hi!"

    def test_any_other_one_has_to_be_announced(self, ask):
        def factory(scope, receive, send):
            return self.echo(scope, receive, send)

        options = {"interface": "asgi"}
        assert ask(factory, method="PUT", body=b"hi", options=options).body == b"hi!"

    def test_its_lifespan_spans_the_requests(self, run, conf):
        told = []

        async def app(scope, receive, send):
            if scope["type"] == "lifespan":
                for step in ("startup", "shutdown"):
                    await receive()
                    told.append(step)
                    scope["state"]["what"] = "started"
                    await send({"type": f"lifespan.{step}.complete"})
            else:
                told.append(scope["state"]["what"])
                await send({"type": "http.response.start", "status": 200})
                await send({"type": "http.response.body"})

        async def main():
            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                client.ask()
                await client.answer()

        run(main)
        assert told == ["startup", "started", "shutdown"]


class TestPool:
    @pytest.mark.parametrize("size", [1, 3])
    def test_so_many_requests_run_at_once_and_no_more(self, run, conf, size):
        running = []
        most = []
        gates = []

        def app(environ, start_response):
            running.append(environ)
            most.append(len(running))
            gates[0]()
            running.pop()
            start_response("200 OK", [])
            return [b"done"]

        async def one(server):
            async with web.connected(server) as client:
                client.ask()
                return (await client.answer()).body

        async def main():
            gates.append(web.Gate())
            async with web.served(conf, app, pool_size=size) as server:
                asking = [asyncio.ensure_future(one(server)) for _ in range(6)]
                await gates[0].reached(size)
                gates[0].open()
                return await asyncio.gather(*asking)

        assert run(main) == [b"done"] * 6
        assert max(most) == size

    def test_sync_code_runs_beside_the_loop(self, run, conf):
        def app(environ, start_response):
            async def on_the_loop():
                return b"from the loop"

            start_response("200 OK", [])
            return [hub_module.run_async(on_the_loop)]

        async def main():
            async with (
                web.served(conf, app) as server,
                web.connected(server) as client,
            ):
                client.ask()
                return (await client.answer()).body

        assert run(main) == b"from the loop"


def test_the_body_of_a_request_is_a_buffered_file(ask):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [str(isinstance(environ["wsgi.input"], io.BufferedIOBase)).encode()]

    assert ask(app, method="PUT", body=b"x" * 100_000).body == b"True"
