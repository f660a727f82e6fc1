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

"""A WSGI server as a launched service: one process, several, reload and stop."""

import contextlib
import http.client
import os
import re
import signal
import socket
import threading

import pytest

from oslo_asyncio.tests.functional.program import LIMIT

SERVER = """
from oslo_asyncio import wsgi

CONF.register_opts([cfg.IntOpt("workers", default=1), cfg.StrOpt("word")])

turn = threading.Lock()  # eventlet lets one green thread at a time read a socket

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/slow":
        say("slow")
        with turn:
            hear()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{CONF.word} {os.getpid()}".encode()]

server = wsgi.Server(CONF, "api", app, "127.0.0.1")
say(server.port)

@service.on_worker_start
def begin():
    say("worker", os.getpid())

sys.exit(service.launch(CONF, server, workers=CONF.workers).wait())
"""


class Client(http.client.HTTPConnection):
    """A connection that stays open."""

    def __init__(self, port):
        super().__init__("127.0.0.1", port, timeout=LIMIT)

    def ask(self, path="/"):
        self.request("GET", path)
        return self.answer()

    def answer(self):
        response = self.getresponse()
        assert response.status == 200
        word, pid = response.read().decode().split()
        return word, int(pid)


def is_refused(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_sigterm_lets_requests_end_and_refuses_new_clients(start):
    program = start(SERVER)
    port = int(program.next_line())
    program.expect("worker")
    with (
        contextlib.closing(Client(port)) as busy,
        contextlib.closing(Client(port)) as idle,
    ):
        idle.ask()
        busy.request("GET", "/slow")
        program.expect("slow")
        program.signal(signal.SIGTERM)
        assert idle.sock.recv(1) == b""  # closed at once
        assert is_refused(port)
        program.tell()
        assert busy.answer() == ("None", program.pid)
    assert program.exit() == 0
    assert "Traceback" not in program.stderr
    assert "api stops serving" in program.stderr


def test_a_request_that_does_not_end_is_cut_off_at_the_deadline(start):
    program = start(SERVER, default="graceful_shutdown_timeout = 1")
    port = int(program.next_line())
    program.expect("worker")
    with contextlib.closing(Client(port)) as client:
        client.request("GET", "/slow")
        program.expect("slow")
        assert program.stop() == 1, program.stderr
    assert re.search(r"Server.\w+\(\) has not returned within", program.stderr)


def test_a_reload_in_place_loses_no_client(start, hub_name):
    program = start(SERVER, default="word = one")
    port = int(program.next_line())
    program.expect("worker")
    with contextlib.closing(Client(port)) as client:
        client.request("GET", "/slow")
        program.expect("slow")
        program.write_config(hub_name, default="word = two")
        program.signal(signal.SIGHUP)
        with contextlib.closing(Client(port)) as next_one:
            next_one.request("GET", "/")
            program.tell()
            assert client.answer()[1] == program.pid
            assert next_one.answer()[1] == program.pid
    words = set()
    while "two" not in words:
        with contextlib.closing(Client(port)) as client:
            words.add(client.ask()[0])
    assert program.stop() == 0
    assert "Traceback" not in program.stderr


@pytest.fixture
def workers(start):
    """Three workers: the program, its port and its pids."""

    def workers(default=""):
        program = start(SERVER, default=f"workers = 3\n{default}")
        port = int(program.next_line())
        pids = {int(program.expect("worker ").split()[1]) for _ in range(3)}
        return program, port, pids

    return workers


def test_workers_share_the_socket(workers):
    program, port, pids = workers()
    seen = set()
    while seen != pids:
        with contextlib.ExitStack() as stack:
            for _ in range(10):
                client = stack.enter_context(contextlib.closing(Client(port)))
                seen.add(client.ask()[1])
        assert seen <= pids
    assert program.stop() == 0
    assert is_refused(port)


def test_a_reload_and_a_death_lose_no_client(workers, hub_name):
    program, port, pids = workers("word = one")
    failed, words = [], set()
    go_on = True

    def ask():
        while go_on:
            try:
                with contextlib.closing(Client(port)) as client:
                    words.add(client.ask()[0])
            except Exception as error:
                failed.append(error)
                return

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        program.write_config(hub_name, default="workers = 3\nword = two")
        program.signal(signal.SIGHUP)
        fresh = {int(program.expect("worker ").split()[1]) for _ in range(3)}
        assert not fresh & pids
        while "two" not in words and not failed:
            os.sched_yield()
    finally:
        go_on = False
        for thread in asking:
            thread.join(LIMIT)
    assert failed == []
    assert program.stop() == 0
    assert "Traceback" not in program.stderr


def test_every_worker_drains(workers):
    program, port, pids = workers()
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(6):
            clients.append(stack.enter_context(contextlib.closing(Client(port))))
            clients[-1].request("GET", "/slow")
            program.expect("slow")
        program.signal(signal.SIGTERM)
        program.tell(6)
        assert {client.answer()[1] for client in clients} <= pids
    assert program.exit() == 0
    assert not re.search("Traceback|SIGABRT|SIGKILL", program.stderr)


def test_a_server_that_a_service_makes_for_itself(start):
    program = start("""
        from oslo_asyncio import wsgi

        class Api(service.Service):
            async def start(self):
                self.server = wsgi.Server(CONF, "api", self.app, "127.0.0.1")
                await self.server.start()
                say(self.server.port)

            def app(self, environ, start_response):
                start_response("200 OK", [])
                return [f"x {os.getpid()}".encode()]

            def stop(self):  # sync code
                self.server.stop()
                self.server.wait()
                say("stopped")

        sys.exit(service.launch(CONF, Api()).wait())
    """)
    for _ in range(2):
        port = int(program.next_line())
        with contextlib.closing(Client(port)) as client:
            assert client.ask()[1] == program.pid
        program.signal(signal.SIGHUP)
        program.expect("stopped")
    program.next_line()
    assert program.stop() == 0
    assert "Traceback" not in program.stderr
