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

"""systemd is told what it wants to know, by the right process, without waiting."""

import logging
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid

import pytest

from oslo_asyncio import _activation
from oslo_asyncio import exceptions
from oslo_asyncio import systemd

#: Whoever waits for so many seconds has failed; nothing waits for it to pass.
LIMIT = 60.0
VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
PYTHON = (sys.executable, "-W", "error::ResourceWarning")
GREEN = """\
import warnings
warnings.filterwarnings("ignore", r"\\s*Eventlet is deprecated")
import eventlet
eventlet.monkey_patch()
"""


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address):
        self.address = address
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind(address.replace("@", "\0"))

    def received(self):
        """The datagrams since the last call."""
        found = []
        try:
            while True:
                found.append(self.sock.recv(65536).decode())
        except BlockingIOError:
            return found

    def fill(self):
        """Leave no room for one more datagram; returns how many there are."""
        count = 0
        try:
            while True:
                # a socket for each: what one may have under way is limited, too
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
                    address = self.sock.getsockname()
                    client.sendto(b"noise", socket.MSG_DONTWAIT, address)
                count += 1
        except BlockingIOError:
            return count


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path, monkeypatch):
    """systemd, as far as this process can tell."""
    abstract = request.param == "abstract"
    address = f"@oslo-asyncio-{uuid.uuid4()}" if abstract else str(tmp_path / "notify")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    made = Systemd(address)
    with made.sock:
        yield made


@pytest.fixture
def notifier(manager):
    return systemd.Notifier.from_environment()


def python(code, *arguments, **variables):
    """Run Python code in a process of its own."""
    return subprocess.run(
        [*PYTHON, "-c", code, *map(str, arguments)],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


def said(ended):
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()


class TestNotify:
    def test_it_says_that_the_service_is_ready(self, manager):
        systemd.notify()
        systemd.notify()
        assert manager.received() == ["READY=1"] * 2

    def test_once_is_once(self, manager):
        systemd.notify_once()
        systemd.notify_once()
        assert manager.received() == ["READY=1"]
        assert "NOTIFY_SOCKET" not in os.environ

    def test_once_may_be_tried_again_when_it_failed(self, manager, caplog):
        noise = manager.fill()
        systemd.notify_once()
        assert f"Cannot notify systemd at {manager.address}: " in caplog.text
        manager.received()
        systemd.notify_once()
        assert noise
        assert manager.received() == ["READY=1"]

    @pytest.mark.parametrize("address", [None, ""])
    def test_nothing_happens_without_systemd(self, address, monkeypatch, caplog):
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
        if address is not None:
            monkeypatch.setenv("NOTIFY_SOCKET", address)
        systemd.notify()
        systemd.notify_once()
        assert caplog.text == ""

    def test_under_a_launcher_it_is_silent(self, manager, notifier):
        systemd.notify()
        systemd.notify_once()
        assert manager.received() == []


class TestOnReady:
    @pytest.fixture
    def on_bind(self, monkeypatch):
        """Call something as soon as there is a socket to send to."""

        def arrange(action):
            class Bound(socket.socket):
                def bind(self, address):
                    super().bind(address)
                    action()

            monkeypatch.setattr(socket, "socket", Bound)

        return arrange

    @pytest.fixture(params=["path", "abstract"])
    def address(self, request, tmp_path, monkeypatch):
        path = str(tmp_path / "notify")
        found = path if request.param == "path" else f"@{uuid.uuid4()}"
        monkeypatch.setenv("NOTIFY_SOCKET", found)
        return found

    def test_0_is_a_service_that_is_ready(self, address, on_bind):
        on_bind(systemd.notify)
        assert systemd.onready(address, LIMIT) == 0

    def test_0_is_one_that_says_more_than_that(self, address, on_bind):
        on_bind(lambda: systemd.Notifier(address).ready("1 of 1 workers is ready"))
        assert systemd.onready(address, LIMIT) == 0

    def test_1_is_one_that_says_something_else(self, address, on_bind):
        on_bind(lambda: systemd.Notifier(address).status("READY=1 comes later"))
        assert systemd.onready(address, LIMIT) == 1

    @pytest.mark.parametrize("timeout", [0, 0.001])
    def test_2_is_one_that_says_nothing(self, address, timeout):
        assert systemd.onready(address, timeout) == 2

    def test_it_may_be_called_again_at_the_same_place(self, address):
        for _ in range(2):
            assert systemd.onready(address, 0) == 2

    def test_it_blocks_no_other_green_thread(self, address):
        code = GREEN + (
            "import sys\n"
            "from oslo_asyncio import systemd\n"
            "waiting = eventlet.spawn(systemd.onready, sys.argv[1], 60)\n"
            "eventlet.sleep(0)\n"
            "systemd.notify()\n"
            "print(waiting.wait())\n"
        )
        assert said(python(code, address)) == ["0"]


class TestNotifierFromTheEnvironment:
    def test_nobody_else_sees_the_variables(self, manager, monkeypatch):
        monkeypatch.setenv("WATCHDOG_USEC", "3000000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        systemd.Notifier.from_environment()
        assert not {*VARIABLES} & {*os.environ}
        code = f"import os; print({{*{VARIABLES}}} & {{*os.environ}})"
        assert said(python(code)) == ["set()"]

    def test_it_puts_them_back_when_asked(self, manager, monkeypatch):
        monkeypatch.setenv("WATCHDOG_USEC", "3000000")
        before = dict(os.environ)
        systemd.Notifier.from_environment().restore()
        assert dict(os.environ) == before

    def test_it_sets_nothing_that_was_not_there(self, monkeypatch):
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        before = dict(os.environ)
        systemd.Notifier.from_environment().restore()
        assert dict(os.environ) == before

    def test_a_second_one_has_nobody_to_notify(self, manager, notifier):
        systemd.Notifier.from_environment().ready("hello")
        assert manager.received() == []

    def test_without_systemd_it_does_nothing(self, monkeypatch, caplog):
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
        monkeypatch.setenv("WATCHDOG_USEC", "3000000")
        notifier = systemd.Notifier.from_environment()
        notifier.ready("hello")
        notifier.alive()
        assert notifier.watchdog is None
        assert caplog.text == ""


class TestWatchdog:
    @pytest.mark.parametrize(
        ("microseconds", "pid", "seconds"),
        [
            ("3000000", None, 1.5),
            ("3000000", "ours", 1.5),
            ("1", None, 0.0000005),
            ("3000000", "1", None),  # systemd wants to hear from somebody else
            ("0", None, None),
            ("", None, None),
            (None, "ours", None),
        ],
    )
    def test_it_is_pinged_twice_as_often_as_systemd_asks(
        self, manager, monkeypatch, microseconds, pid, seconds
    ):
        if microseconds is not None:
            monkeypatch.setenv("WATCHDOG_USEC", microseconds)
        if pid is not None:
            monkeypatch.setenv("WATCHDOG_PID", pid.replace("ours", str(os.getpid())))
        assert systemd.Notifier.from_environment().watchdog == seconds

    @pytest.mark.parametrize("variable", ["WATCHDOG_USEC", "WATCHDOG_PID"])
    @pytest.mark.parametrize("value", ["soon", "-1", "1.5", "²"])
    def test_what_is_no_number_is_an_error(self, manager, monkeypatch, variable, value):
        monkeypatch.setenv(variable, value)
        with pytest.raises(exceptions.InvalidEnvironment) as caught:
            systemd.Notifier.from_environment()
        assert caught.value.variable == variable
        assert os.environ["NOTIFY_SOCKET"] == manager.address


class TestMessages:
    def test_ready(self, manager, notifier):
        notifier.ready("4 of 4 workers are ready")
        assert manager.received() == ["READY=1\nSTATUS=4 of 4 workers are ready"]

    def test_reloading_has_the_time_in_the_same_datagram(self, manager, notifier):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        notifier.reloading("reading the configuration")
        [message] = manager.received()
        reloading, moment, status = message.split("\n")
        assert reloading == "RELOADING=1"
        assert status == "STATUS=reading the configuration"
        name, _, microseconds = moment.partition("=")
        assert name == "MONOTONIC_USEC"
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert before <= int(microseconds) <= after

    def test_stopping(self, manager, notifier):
        notifier.stopping("3 requests are being served")
        assert manager.received() == ["STOPPING=1\nSTATUS=3 requests are being served"]

    def test_alive(self, manager, notifier):
        notifier.alive()
        assert manager.received() == ["WATCHDOG=1"]

    @pytest.mark.parametrize(
        ("seconds", "microseconds"), [(30, 30_000_000), (0.5, 500_000), (1e-7, 0)]
    )
    def test_extend(self, manager, notifier, seconds, microseconds):
        notifier.extend(seconds)
        assert manager.received() == [f"EXTEND_TIMEOUT_USEC={microseconds}"]

    def test_any_fields_in_one_datagram(self, manager, notifier):
        notifier.send("READY=1", "MAINPID=123", "STATUS=all is well")
        assert manager.received() == ["READY=1\nMAINPID=123\nSTATUS=all is well"]

    def test_a_status_of_several_lines_is_no_second_field(self, manager, notifier):
        notifier.status("worker 3:\nSTOPPING=1\r\n\0")
        assert manager.received() == ["STATUS=worker 3: STOPPING=1   "]

    def test_a_status_that_is_no_text_is_sent_all_the_same(self, manager, notifier):
        notifier.ready("worker \udcff is ready")
        assert manager.received() == ["READY=1\nSTATUS=worker ? is ready"]

    @pytest.mark.parametrize("character", ["a", "€", "\N{PILE OF POO}"])
    def test_a_long_status_cannot_cost_its_message(self, manager, notifier, character):
        notifier.reloading(character * 10_000)
        [message] = manager.received()
        assert len(message.encode()) < 4096  # systemd reads no more
        assert message.startswith("RELOADING=1\n")


def warnings(caplog):
    return [r.message for r in caplog.records if r.levelno == logging.WARNING]


class TestTrouble:
    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("dead", "Connection refused"),
            ("missing", "No such file or directory"),
            ("long" * 100, "AF_UNIX path too long"),
        ],
    )
    def test_a_socket_that_nobody_reads_is_one_warning(
        self, tmp_path, caplog, path, reason
    ):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(str(tmp_path / "dead"))
        notifier = systemd.Notifier(str(tmp_path / path))
        notifier.ready("hello")
        notifier.alive()
        [warning] = warnings(caplog)
        assert warning.startswith("Cannot notify systemd at ")
        assert warning.endswith(reason)

    def test_what_a_full_socket_did_not_take_comes_before_the_next_message(
        self, manager, notifier, caplog
    ):
        noise = manager.fill()
        notifier.ready("hello")
        notifier.status("how are you")
        assert manager.received() == ["noise"] * noise
        notifier.status("good bye")
        assert manager.received() == [
            "READY=1\nSTATUS=hello",
            "STATUS=how are you",
            "STATUS=good bye",
        ]
        assert len(warnings(caplog)) == 1

    def test_a_ping_is_not_kept_but_sends_what_was(self, manager, notifier):
        noise = manager.fill()
        notifier.alive()
        notifier.ready("hello")
        notifier.alive()
        assert manager.received() == ["noise"] * noise
        notifier.alive()
        assert manager.received() == ["READY=1\nSTATUS=hello", "WATCHDOG=1"]

    def test_what_is_kept_has_an_end(self, manager, notifier):
        manager.fill()
        for number in range(1000):
            notifier.status(f"{number}")
        manager.received()
        notifier.extend(1)
        notifier.extend(2)
        assert len(manager.received()) < 100

    def test_a_forked_child_is_silent_and_leaves_the_environment(self, manager):
        code = (
            "import os\n"
            "from oslo_asyncio import systemd\n"
            "notifier = systemd.Notifier.from_environment()\n"
            "child = os.fork()\n"
            "notifier.ready('child' if child == 0 else 'parent')\n"
            "notifier.alive()\n"
            "notifier.restore()\n"
            "if child:\n"
            "    os.waitpid(child, 0)\n"
            "os.write(1, b'%d\\n' % ('NOTIFY_SOCKET' in os.environ))\n"
        )
        assert sorted(said(python(code))) == ["0", "1"]
        assert manager.received() == ["READY=1\nSTATUS=parent", "WATCHDOG=1"]

    def test_no_green_socket_is_used_in_a_green_process(self, manager):
        code = GREEN + (
            "import socket\n"
            "from oslo_asyncio import systemd\n"
            "socket.socket = None\n"
            "systemd.notify()\n"
            "systemd.Notifier.from_environment().ready('green')\n"
        )
        assert said(python(code)) == []
        assert manager.received() == ["READY=1", "READY=1\nSTATUS=green"]

    def test_importing_it_imports_neither_a_loop_nor_a_library(self):
        code = "import sys; from oslo_asyncio import systemd; print(*sys.modules)"
        ended = subprocess.run(
            [sys.executable, "-c", code],
            env={k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")},
            capture_output=True,
            text=True,
        )
        loaded = set(ended.stdout.split())
        assert "oslo_asyncio.systemd" in loaded
        assert not {"asyncio", "oslo_config", "stevedore", "eventlet"} & loaded


@pytest.fixture
def listeners(tmp_path):
    """Sockets as the units of a service may ask for: TCP, UNIX, UDP."""
    made = [
        socket.create_server(("127.0.0.1", 0)),
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    ]
    made[1].bind(str(tmp_path / "listener"))
    made[1].listen()
    made[2].bind(("127.0.0.1", 0))
    yield made
    for sock in made:
        sock.close()


def activate(code, socks, **variables):
    """Start Python code as systemd starts an activated service."""
    fds = [sock.fileno() for sock in socks]
    command = [sys.executable, "-m", "oslo_asyncio.tests.activate"]
    return subprocess.run(
        [*command, ",".join(map(str, fds)), *PYTHON, "-c", code],
        pass_fds=fds,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


PRELUDE = """\
import os, socket
from oslo_asyncio import systemd
"""


class TestListenFds:
    @pytest.mark.parametrize("green", ["", GREEN], ids=["native", "green"])
    def test_each_socket_is_what_systemd_made(self, listeners, green):
        code = f"{green}{PRELUDE}" + (
            "for sock in systemd.listen_fds():\n"
            "    print(sock.family.name, sock.type.name, sock.getsockname())\n"
            "    assert isinstance(sock, socket.socket)\n"
            "    sock.close()\n"
        )
        assert said(activate(code, listeners)) == [
            f"{sock.family.name} {sock.type.name} {sock.getsockname()}"
            for sock in listeners
        ]

    def test_no_subprocess_inherits_them(self, listeners):
        code = PRELUDE + (
            "socks = systemd.listen_fds()\n"
            "for fd in (3, 4, 5, *(sock.fileno() for sock in socks)):\n"
            "    print(os.get_inheritable(fd))\n"
            "print([name for name in os.environ if name.startswith('LISTEN_')])\n"
            "for sock in socks:\n"
            "    sock.close()\n"
        )
        pidfdid = {"LISTEN_PIDFDID": "7", "LISTEN_FDNAMES": "a:b:c"}
        assert said(activate(code, listeners, **pidfdid)) == ["False"] * 6 + ["[]"]

    def test_each_call_returns_the_same_sockets(self, listeners):
        code = PRELUDE + (
            "socks = systemd.listen_fds()\n"
            "again = systemd.listen_fds()\n"
            "print([one is other for one, other in zip(socks, again, strict=True)])\n"
            "socks.clear()\n"
            "print(systemd.listen_fds() == again)\n"
            "for sock in again:\n"
            "    sock.close()\n"
        )
        assert said(activate(code, listeners)) == ["[True, True, True]", "True"]

    def test_one_that_was_closed_comes_back_with_its_queue(self, listeners):
        code = PRELUDE + (
            "[sock] = systemd.listen_fds()\n"
            "address = sock.getsockname()\n"
            "sock.close()\n"
            "client = socket.create_connection(address)\n"
            "client.sendall(b'hello')\n"
            "[sock] = systemd.listen_fds()\n"
            "served, _ = sock.accept()\n"
            "print(served.recv(5))\n"
            "for each in (client, served, sock):\n"
            "    each.close()\n"
        )
        assert said(activate(code, listeners[:1])) == ["b'hello'"]

    def test_they_can_be_asked_for_by_name(self, listeners):
        code = PRELUDE + (
            "for name in ('api', 'metrics', 'unknown'):\n"
            "    socks = systemd.listen_fds(name)\n"
            "    print(name, [sock.getsockname() for sock in socks])\n"
            "    for sock in socks:\n"
            "        sock.close()\n"
        )
        first, second, third = (sock.getsockname() for sock in listeners)
        ended = activate(code, listeners, LISTEN_FDNAMES="api:metrics:api")
        assert said(ended) == [
            f"api {[first, third]}",
            f"metrics {[second]}",
            "unknown []",
        ]
        assert said(activate(code, listeners)) == [
            "api []",
            "metrics []",
            f"unknown {[first, second, third]}",
        ]

    def test_those_of_another_process_are_left_alone(self, listeners):
        code = PRELUDE + (
            "print(systemd.listen_fds(), os.get_inheritable(3))\n"
            "print([name for name in os.environ if name.startswith('LISTEN_')])\n"
        )
        ended = activate(code, listeners, LISTEN_PID="1", LISTEN_FDS="not ours")
        assert said(ended) == ["[] True", "[]"]

    @pytest.mark.parametrize("variables", [{}, {"LISTEN_FDS": "0"}])
    def test_without_socket_activation_there_are_none(self, variables):
        code = f"{PRELUDE}print(systemd.listen_fds())\n"
        assert said(activate(code, [], **variables)) == ["[]"]
        assert said(python(code)) == ["[]"]

    @pytest.mark.parametrize("parent", ["pass", "kept = systemd.listen_fds()"])
    def test_a_forked_worker_shares_them_with_its_parent(self, listeners, parent):
        code = PRELUDE + (
            f"{parent}\n"
            "child = os.fork()\n"
            "sock = systemd.listen_fds()[0]\n"
            "os.write(1, b'%d\\n' % sock.getsockname()[1])\n"
            "for each in systemd.listen_fds():\n"
            "    each.close()\n"
            "if child:\n"
            "    os.waitpid(child, 0)\n"
        )
        port = str(listeners[0].getsockname()[1])
        assert said(activate(code, listeners)) == [port, port]

    def test_a_program_that_it_starts_does_not(self, listeners):
        code = PRELUDE + (
            "import subprocess, sys\n"
            "code = 'from oslo_asyncio import systemd; print(systemd.listen_fds())'\n"
            "subprocess.run([sys.executable, '-c', code], close_fds=False)\n"
        )
        assert said(activate(code, listeners)) == ["[]"]

    @pytest.mark.parametrize(
        ("variable", "value", "reason"),
        [
            ("LISTEN_PID", "me", "it has to be a number"),
            ("LISTEN_FDS", "three", "it has to be a number"),
            ("LISTEN_FDS", "-1", "it has to be a number"),
            (
                "LISTEN_FDS",
                "4",
                "file descriptor 6 is no socket (Bad file descriptor)",
            ),
            ("LISTEN_FDNAMES", "a:b", "it has to be 3 names"),
        ],
    )
    def test_variables_that_make_no_sense_end_a_program_with_a_sentence(
        self, listeners, variable, value, reason
    ):
        code = f"{PRELUDE}systemd.listen_fds()\n"
        ended = activate(code, listeners, **{variable: value})
        assert ended.returncode == 1
        assert ended.stderr == (
            f"{variable}={value!r} in the environment is not valid: {reason}; "
            f"only systemd should set it\n"
        )

    def test_a_pipe_is_no_socket(self, tmp_path):
        with (tmp_path / "file").open("wb") as file:
            ended = activate(f"{PRELUDE}systemd.listen_fds()\n", [file])
        assert (
            "file descriptor 3 is no socket (Socket operation on non-" in ended.stderr
        )

    def test_after_an_error_nothing_has_been_taken(self, monkeypatch):
        monkeypatch.setattr(_activation, "_passed", None)
        monkeypatch.setenv("LISTEN_PID", "me")
        for _ in range(2):
            with pytest.raises(exceptions.InvalidEnvironment):
                systemd.listen_fds()
        assert os.environ["LISTEN_PID"] == "me"

    def test_accept_blocks_no_other_green_thread(self, listeners):
        code = (GREEN + PRELUDE) + (
            "[sock] = systemd.listen_fds()\n"
            "accepting = eventlet.spawn(sock.accept)\n"
            "eventlet.sleep(0)\n"
            "client = socket.create_connection(sock.getsockname())\n"
            "served, peer = accepting.wait()\n"
            "print(peer == client.getsockname())\n"
            "for each in (client, served, sock):\n"
            "    each.close()\n"
        )
        assert said(activate(code, listeners[:1])) == ["True"]

    @pytest.mark.skipif(
        not shutil.which("systemd-socket-activate"),
        reason="systemd-socket-activate is not installed",
    )
    def test_systemd_and_this_library_mean_the_same(self, tmp_path):
        path = str(tmp_path / "echo")
        code = PRELUDE + (
            "[sock] = systemd.listen_fds('echo')\n"
            "served, _ = sock.accept()\n"
            "served.sendall(sock.getsockname().encode())\n"
            "served.close()\n"
            "sock.close()\n"
        )
        command = ["systemd-socket-activate", "--fdname=echo", "-l", path]
        with subprocess.Popen(
            [*command, *PYTHON, "-c", code],
            stderr=subprocess.PIPE,
        ) as activator:
            assert b"Listening on" in activator.stderr.readline()
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(LIMIT)
                client.connect(path)
                assert client.recv(4096).decode() == path
            assert activator.wait(LIMIT) == 0, activator.stderr.read()
