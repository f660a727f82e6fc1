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

"""The programs that the README and the documentation show, as processes."""

import http.client
import http.server
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest

ROOT = pathlib.Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
HOWTO = ROOT / "doc/source/user/howto/code"
TUTORIAL = ROOT / "doc/source/user/tutorial/code"
#: Whoever waits for so many seconds has failed; nothing waits for it to pass.
LIMIT = 60.0
BODY = random.Random(1).randbytes(1024 * 1024)
PROJECT_CONFIG = re.compile(r"port = \d+")

pytestmark = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="the examples are not installed with the package"
)


def run(*command, **options):
    """Run a program to its end."""
    environment = dict(os.environ, RES_OPTIONS="timeout:1 attempts:1")
    environment.pop("OSLO_ASYNCIO_HUB", None)
    return subprocess.run(
        [sys.executable, *map(str, command)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT,
        env=environment,
        **options,
    )


def ask(port, name):
    """The answer of examples/hello.py to a client that knows the host's name."""
    client = http.client.HTTPConnection("localhost", port, timeout=LIMIT)
    try:
        client.request("GET", f"/{name}")
        return client.getresponse().read().decode()
    finally:
        client.close()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class TestDemo:
    def test_it_shows_the_same_service_on_two_hubs(self):
        done = run(EXAMPLES / "demo.py")
        said = done.stdout.decode()
        assert (done.returncode, done.stderr) == (0, b""), said
        assert len(said.splitlines()) <= 20
        for line in (
            "hello ada: asyncio hub, native thread",
            "hello ada: eventlet hub, green thread",
            "its answer  hello late: asyncio hub, native thread",
            "its answer  hello late: eventlet hub, green thread",
        ):
            assert line in said
        assert said.count("exit status 0") == 2
        assert not [pid for pid in pids_in(said) if is_alive(pid)]

    def test_it_fails_with_one_sentence(self):
        done = run(EXAMPLES / "demo.py", "gevent")
        assert done.returncode == 1
        [line] = done.stderr.decode().splitlines()
        assert re.fullmatch(
            "The demo failed on the gevent hub: the service has ended: hub 'gevent' "
            "is not installed; installed: asyncio, eventlet, uvloop; set "
            r"\[oslo_asyncio\] hub in \S+/hello.conf line \d+",
            line,
        )

    def test_it_leaves_no_process_behind_when_it_is_stopped(self):
        demo = subprocess.Popen(
            [sys.executable, EXAMPLES / "demo.py", *["asyncio"] * 20],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        said = ""
        while "process" not in said:
            assert select.select([demo.stdout], [], [], LIMIT)[0]
            said += os.read(demo.stdout.fileno(), 65536).decode()
        demo.send_signal(signal.SIGTERM)
        rest, errors = demo.communicate(timeout=LIMIT)
        assert demo.returncode == 1
        assert errors == b"The demo was interrupted.\n"
        assert not [pid for pid in pids_in(said + rest.decode()) if is_alive(pid)]


def pids_in(text):
    return [int(pid) for pid in re.findall(r"process (\d+)", text)]


def start_hello(start, folder=EXAMPLES, **options):
    """The service on the port that it chose."""
    source = (folder / "hello.py").read_text()
    program = start(source, preamble=False, default="port = 0", **options)
    url = program.expect("listening on http://localhost:")
    return program, int(url.rstrip("/").rsplit(":", 1)[1])


class TestHello:
    def test_it_answers_and_stops(self, start, hub_name):
        program, port = start_hello(start)
        kind = "green" if hub_name == "eventlet" else "native"
        assert ask(port, "ada") == f"hello ada: {hub_name} hub, {kind} thread\n"
        assert program.stop() == 0
        assert "Traceback" not in program.stderr

    def test_a_request_that_is_being_served_gets_its_answer(self, start):
        program, port = start_hello(start)
        with socket.create_connection(("localhost", port), timeout=LIMIT) as client:
            client.sendall(b"GET /late HTTP/1.0\r\n")
            program.wait_for("serving /late")
            program.signal(signal.SIGTERM)
            program.wait_for("stopping")
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("localhost", port), timeout=LIMIT)
            client.sendall(b"\r\n")
            assert b"hello late: " in b"".join(iter(lambda: client.recv(4096), b""))
        assert program.exit() == 0

    def test_a_client_that_talks_nonsense_harms_nobody(self, start):
        program, port = start_hello(start)
        for nonsense in (b"", b"\r\n", b"GET /\xff HTTP/1.0\r\n\r\n"):
            with socket.create_connection(("localhost", port), LIMIT) as client:
                client.sendall(nonsense)
                client.shutdown(socket.SHUT_WR)
                assert client.recv(1) == b""
        assert ask(port, "ada").startswith("hello ada: ")
        assert program.stop() == 0

    def test_a_port_that_is_taken_ends_it(self, start):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
            source = (EXAMPLES / "hello.py").read_text()
            program = start(source, preamble=False, default=f"port = {port}")
            assert program.exit() == 1
        said = "\n".join(program.rest())
        assert f"cannot listen on localhost:{port}: Address already in use" in said


class TestTicker:
    def test_it_ticks_and_stops(self, start, hub_name):
        program = start((EXAMPLES / "ticker.py").read_text(), preamble=False)
        program.expect(f"{hub_name} hub: ")
        program.expect(f"{hub_name} hub: ")
        assert program.stop() == 0

    def test_it_stops_by_ctrl_c(self, start, hub_name):
        program = start(
            "import signal\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            + (EXAMPLES / "ticker.py").read_text(),
            preamble=False,
        )
        program.expect(f"{hub_name} hub: ")
        program.signal(signal.SIGINT)
        assert program.exit() == 0


class TestHousekeeping:
    def test_it_runs_both_kinds_of_tasks_again_and_again(self, start):
        source = (EXAMPLES / "housekeeping.py").read_text()
        program = start(source, preamble=False)
        program.expect("swept for admin")  # at once
        for line in ("reported to admin", "swept for admin"):
            program.wait_for(line)
        assert program.stop() == 0
        assert "Traceback" not in program.stderr


#: or each print() is two writes, and the lines of several workers mix
BUFFERED = {"PYTHONUNBUFFERED": ""}


def start_workers(start):
    """Three of them: the program, its port, and the pid of each worker."""
    source = (EXAMPLES / "workers.py").read_text()
    default = "port = 0\nworkers = 3"
    program = start(source, preamble=False, default=default, env=BUFFERED)
    port = int(program.expect("listening on ").rstrip("/").rsplit(":", 1)[1])
    said = [tell_of(program) for _ in range(6)]
    pids = {number: pid for number, verb, pid in said if verb == "serves"}
    begun = [(number, "begins", pid) for number, pid in pids.items()]
    assert sorted(pids) == [0, 1, 2]
    assert {*begun} < {*said}
    return program, port, pids


def tell_of(program):
    """What the next worker says: its number, what it does, its pid."""
    line = program.wait_for("worker ")  # log lines between them are skipped
    said = re.fullmatch(r"worker (\d+) (\w+) in process (\d+)", line)
    return int(said[1]), said[2], int(said[3])


class TestWorkers:
    def test_they_share_a_port_and_finish_what_they_serve(self, start):
        program, port, pids = start_workers(start)
        with socket.create_connection(("localhost", port), timeout=LIMIT) as client:
            client.sendall(b"GET /late HTTP/1.0\r\n")
            assert ask(port, "ada").startswith("hello ada from process ")
            program.signal(signal.SIGTERM)
            stopped = [tell_of(program) for _ in range(3)]
            assert sorted(stopped) == [(n, "stops", pids[n]) for n in range(3)]
            client.sendall(b"\r\n")
            answer = b"".join(iter(lambda: client.recv(4096), b""))
        served = re.search(rb"hello late from process (\d+)\n$", answer)
        assert int(served[1]) in pids.values()
        assert program.exit() == 0
        with pytest.raises(ConnectionRefusedError):
            ask(port, "ada")

    def test_a_reload_replaces_one_after_the_other(self, start):
        program, port, pids = start_workers(start)
        program.signal(signal.SIGHUP)
        fresh = {}
        for number in range(3):
            assert ask(port, "ada").startswith("hello ada from process ")
            known, verb, fresh[number] = tell_of(program)
            assert (known, verb) == (number, "begins")
            assert tell_of(program) == (number, "serves", fresh[number])
            assert tell_of(program) == (number, "stops", pids[number])
        assert not {*fresh.values()} & {*pids.values()}
        assert program.stop() == 0

    def test_sigttin_adds_one(self, start):
        program, _port, _pids = start_workers(start)
        program.signal(signal.SIGTTIN)
        number, verb, _pid = tell_of(program)
        assert (number, verb) == (3, "begins")
        assert program.stop() == 0


class TestApi:
    def test_its_workers_answer_and_stop(self, start):
        source = (EXAMPLES / "api.py").read_text()
        program = start(source, preamble=False, default="port = 0\nworkers = 2")
        url = program.wait_for("listening on http://localhost:")
        port = int(url.rstrip("/").rsplit(":", 1)[1])
        assert ask(port, "ada") == "hello ada\n"
        assert program.stop() == 0
        assert "Traceback" not in program.stderr


class Handler(http.server.BaseHTTPRequestHandler):
    """One page, with as many random bytes as are asked for."""

    def do_GET(self):
        page = re.fullmatch(r"/(\d+)(\?.*)?", self.path)
        self.send_response(200 if page else 404)
        self.end_headers()
        if page:
            self.wfile.write(BODY[: int(page[1])])

    def log_message(self, *_args):
        pass


@pytest.fixture(scope="class")
def site():
    """The URL of a web server on loopback."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def get_body(tmp_path, hub_name):
    """Run examples/getbody.py on the hub."""
    config = tmp_path / "getbody.conf"
    config.write_text(f"[oslo_asyncio]\nhub = {hub_name}\n")
    program = EXAMPLES / "getbody.py"
    return lambda *arguments: run(program, "--config-file", config, *arguments)


class TestGetBody:
    @pytest.mark.parametrize("style", ["sync", "async", "both"])
    def test_the_body_is_the_same_to_the_byte(self, get_body, site, style):
        done = get_body("--style", style, f"{site}/{len(BODY)}")
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == BODY

    def test_both_styles_are_the_default_and_a_query_is_sent(self, get_body, site):
        assert get_body(f"{site}/7?a=b#c").stdout == BODY[:7]

    @pytest.mark.parametrize("style", ["sync", "async"])
    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("http://no-such-host.invalid/", "cannot fetch {url}: "),
            ("http://localhost:{closed}/", "cannot fetch {url}: Connection refused"),
            ("{site}/none", "the answer to {url} is no page: 'HTTP/1.0 404 Not Found'"),
        ],
    )
    def test_what_cannot_be_fetched_is_said_in_one_sentence(
        self, get_body, site, style, url, reason
    ):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))  # taken, and nobody listens
            url = url.format(site=site, closed=sock.getsockname()[1])
            done = get_body("--style", style, url)
        expect_one_sentence(done, reason.format(url=url))

    @pytest.mark.parametrize("hub_name", ["asyncio"])
    @pytest.mark.parametrize(
        "url",
        [
            "localhost",
            "ftp://localhost/",
            "http:///page",
            "http://localhost:99999/",
            "http://localhost/a b",
            f"http://{'a' * 64}/",
        ],
    )
    def test_a_bad_url_is_said_in_one_sentence(self, get_body, url):
        reason = f"{url!r} is not of the form http://HOST[:PORT]/PATH"
        expect_one_sentence(get_body(url), reason)


def expect_one_sentence(done, reason):
    assert (done.returncode, done.stdout) == (1, b"")
    [line] = done.stderr.decode().splitlines()
    assert line.startswith(f"getbody: {reason}")


def start_howto(start, name, **options):
    return start((HOWTO / name).read_text(), preamble=False, **options)


class TestHowTo:
    @pytest.mark.parametrize(
        ("name", "lines"),
        [
            ("both_kinds.py", ["<p>user 7</p>", "2236378768"]),
            (
                "pools.py",
                ["root attached, swap attached", "backend: 0 queued, 0 abandoned"],
            ),
            ("names.py", ["('127.0.0.1', 80)", "127.0.0.1"]),
            ("polling.py", ["in use", "healthy"]),
            ("moved.py", ["state synchronised for admin", "booted"]),
        ],
    )
    def test_a_program_that_ends_by_itself(self, start, name, lines):
        program = start_howto(start, name)
        assert program.rest() == lines
        assert program.exit() == 0
        assert program.stderr == ""

    def test_what_runs_in_a_thread_group_ends_with_the_service(self, start):
        program = start_howto(start, "threads.py")
        assert program.expect("three samples")
        assert program.exit() == 0

    def test_native_and_green_threads_log_at_the_same_time(self, start):
        program = start_howto(start, "native_logging.py", stderr=subprocess.STDOUT)
        program.wait_for("600 lines")
        assert program.exit() == 0

    def test_the_pool_of_the_page_gets_the_size_of_the_config_file(self, start):
        program = start_howto(start, "pools.py", own="pool_threads = backend:1")
        assert program.rest()[0] == "root attached, swap attached"
        assert program.exit() == 0

    def test_a_mutated_configuration_reaches_reset(self, start, hub_name):
        program = start_howto(start, "reload.py", default="restart_method = mutate")
        program.expect("start: hello")
        default = "restart_method = mutate\ngreeting = good morning"
        program.write_config(hub_name, default=default)
        program.signal(signal.SIGHUP)
        program.expect("reset: good morning")
        program.signal(signal.SIGTERM)
        program.expect("stop")
        assert program.exit() == 0

    def test_a_reloaded_configuration_restarts_the_service(self, start, hub_name):
        program = start_howto(start, "reload.py")
        program.expect("start: hello")
        program.write_config(hub_name, default="greeting = good morning")
        program.signal(signal.SIGHUP)
        for line in ("stop", "reset: good morning", "start: good morning"):
            program.expect(line)
        assert program.stop() == 0

    @pytest.mark.parametrize(
        ("method", "lines"),
        [
            ("reload", ["start: good morning", "stop"]),
            ("mutate", ["reset: good morning"]),
        ],
    )
    def test_workers_are_replaced_or_told(self, start, hub_name, method, lines):
        default = f"workers = 2\nrestart_method = {method}"
        program = start_howto(start, "reload.py", default=default, env=BUFFERED)
        for _ in range(2):
            program.expect("start: hello")
        default += "\ngreeting = good morning"
        program.write_config(hub_name, default=default)
        program.signal(signal.SIGHUP)
        for line in lines * 2:
            program.expect(line)
        assert program.stop() == 0

    def test_two_services_have_workers_of_their_own(self, start):
        program = start_howto(start, "two_services.py", env=BUFFERED)
        assert sorted(program.next_line() for _ in range(4)) == [
            *(f"an API in worker {number}" for number in range(3)),
            "collecting in worker 3",
        ]
        assert program.stop() == 0

    def test_a_reloaded_service_listens_again(self, start):
        program = start_howto(start, "listening.py", default="port = 0")
        program.expect("listening on ")
        program.signal(signal.SIGHUP)
        program.expect("listening on ")
        assert program.stop() == 0

    def test_it_listens_on_tcp_and_on_a_unix_socket(self, start):
        program = start_howto(start, "listening.py", default="port = 0\npath = echo")
        port = int(re.search(r"(\d+)\)$", program.expect("listening on "))[1])
        program.expect("listening on echo")
        with socket.create_connection(("localhost", port), timeout=LIMIT) as client:
            client.sendall(b"ahoy\n")
            assert client.recv(100) == b"ahoy\n"
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(LIMIT)
            client.connect(str(program.folder / "echo"))
            client.sendall(b"ahoy\n")
            assert client.recv(100) == b"ahoy\n"
        assert program.stop() == 0

    def test_what_blocks_the_loop_is_named_while_it_blocks(self, start):
        program = start_howto(
            start,
            "blocked.py",
            own="slow_callback_duration = 0.1",
            stdin=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        program.expect("your name?")
        program.wait_for("The loop has been blocked for more than 0.1 s, at")
        program.wait_for("    name = sys.stdin.readline()")
        program.process.stdin.write(b"ada\n")
        program.process.stdin.close()
        program.wait_for("hello ada")
        assert program.exit() == 0

    def test_what_does_not_stop_is_named_and_left_behind(self, start):
        program = start_howto(
            start,
            "stopping.py",
            default="graceful_shutdown_timeout = 1",
            stderr=subprocess.STDOUT,
        )
        program.expect("working")
        program.signal(signal.SIGTERM)
        program.expect("Stubborn.wait() has not returned within graceful_shutdown_time")
        program.wait_for("    threading.Event().wait()")
        program.wait_for("saved")
        assert program.exit() == 1


def start_activated(start, listener, **options):
    """activated.py as echo.socket and echo.service would start it."""
    fd = listener.fileno()
    return start_howto(
        start,
        "activated.py",
        prefix=(sys.executable, "-m", "oslo_asyncio.tests.activate", str(fd)),
        env={"LISTEN_FDNAMES": "echo"},
        pass_fds=[fd],
        **options,
    )


class TestSystemd:
    def test_a_socket_of_systemd_is_served_again_after_a_reload(self, start):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            program = start_activated(start, listener)
            for _ in range(3):
                said = program.expect("listening on ")
                assert said == f"listening on {listener.getsockname()}"
                with socket.create_connection(listener.getsockname(), LIMIT) as client:
                    client.sendall(b"ahoy\n")
                    assert client.recv(100) == b"ahoy\n"
                program.signal(signal.SIGHUP)
            assert program.stop() == 0

    def test_a_client_that_comes_between_two_runs_is_served_by_the_next(self, start):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            program = start_activated(start, listener)
            program.expect("listening on ")
            assert program.stop() == 0
            with socket.create_connection(listener.getsockname(), LIMIT) as client:
                client.sendall(b"ahoy\n")
                program = start_activated(start, listener)
                assert client.recv(100) == b"ahoy\n"
            assert program.stop() == 0

    def test_without_systemd_it_listens_itself(self, start):
        program = start_howto(start, "activated.py", default="port = 0")
        port = int(re.search(r"(\d+)\)$", program.expect("listening on "))[1])
        with socket.create_connection(("localhost", port), timeout=LIMIT) as client:
            client.sendall(b"ahoy\n")
            assert client.recv(100) == b"ahoy\n"
        assert program.stop() == 0


@pytest.mark.parametrize("variant", ["Type=notify-reload\n", "older"])
def test_the_unit_files_say_nothing_that_systemd_does_not_know(tmp_path, variant):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    text = (HOWTO / "echo.service").read_text()
    assert "Type=notify-reload\n" in text
    version = subprocess.run([program, "--version"], capture_output=True, text=True)
    if variant == "older":
        page = (HOWTO.parent / "run-under-systemd.rst").read_text()
        lines = re.search(r"   (Type=notify\n)   (ExecReload=.*\n)", page)
        text = text.replace("Type=notify-reload\n", lines[1] + lines[2])
    elif int(version.stdout.split()[1]) < 253:
        pytest.skip("this systemd is too old for notify-reload")
    text = text.replace("/opt/echo/bin/python", sys.executable)
    (tmp_path / "echo.service").write_text(text)
    (tmp_path / "echo.socket").write_text((HOWTO / "echo.socket").read_text())
    units = [tmp_path / "echo.service", tmp_path / "echo.socket"]
    done = subprocess.run(
        [program, "verify", *units], capture_output=True, text=True, timeout=LIMIT
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_understands_the_drop_in_for_a_service_that_is_tried(tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    version = subprocess.run([program, "--version"], capture_output=True, text=True)
    text = (HOWTO / "oslo-asyncio.conf").read_text()
    if int(version.stdout.split()[1]) < 253:
        text = text.replace("Type=notify-reload", "Type=notify")
    text = text.replace("/opt/designate/bin/oslo-asyncio", sys.executable)
    unit = tmp_path / "designate-central.service"
    unit.write_text("[Service]\nExecStart=/nowhere/designate-central\n")
    folder = tmp_path / "designate-central.service.d"
    folder.mkdir()
    (folder / "oslo-asyncio.conf").write_text(text)
    done = subprocess.run(
        [program, "verify", unit], capture_output=True, text=True, timeout=LIMIT
    )
    assert (done.returncode, done.stderr) == (0, "")


def install_select_hub(folder):
    """What pip would leave of a package with select_hub.py in it."""
    (folder / "select_hub.py").write_text((HOWTO / "select_hub.py").read_text())
    info = folder / "select_hub-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 1.0\n")
    page = (HOWTO.parent / "write-a-hub-of-your-own.rst").read_text()
    [entry] = re.findall(r"^ +(select = .*)$", page, re.MULTILINE)
    (info / "entry_points.txt").write_text(f"[oslo_asyncio.hubs]\n{entry}\n")


@pytest.mark.parametrize("hub_name", ["select"])
class TestAHubOfYourOwn:
    def test_it_runs_the_examples(self, start, tmp_path):
        site = tmp_path / "site"
        site.mkdir()
        install_select_hub(site)
        program, port = start_hello(start, env={"PYTHONPATH": str(site)})
        assert ask(port, "ada") == "hello ada: select hub, native thread\n"
        assert program.stop() == 0


class TestTutorial:
    @pytest.mark.parametrize("name", ["hello.conf", "hello-eventlet.conf"])
    def test_its_config_files_run_its_service(self, tmp_path, name):
        text = (TUTORIAL / name).read_text()
        assert "port = 8080" in text
        config = tmp_path / name
        config.write_text(PROJECT_CONFIG.sub("port = 0", text))
        hello = subprocess.Popen(
            [sys.executable, EXAMPLES / "hello.py", "--config-file", config],
            stdout=subprocess.PIPE,
        )
        with hello:
            port = int(hello.stdout.readline().rstrip(b"/\n").rsplit(b":", 1)[1])
            expected = {
                "hello.conf": "hello ada: asyncio hub, native thread\n",
                "hello-eventlet.conf": "hello ada: eventlet hub, green thread\n",
            }
            assert ask(port, "ada") == expected[name]
            hello.send_signal(signal.SIGTERM)
            assert hello.wait(LIMIT) == 0

    def test_its_config_files_differ_in_one_line(self):
        one, other = (
            set((TUTORIAL / name).read_text().splitlines())
            for name in ("hello.conf", "hello-eventlet.conf")
        )
        assert one ^ other == {"hub = asyncio", "hub = eventlet"}
