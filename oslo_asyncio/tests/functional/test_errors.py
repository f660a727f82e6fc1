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
"""What an operator has written wrongly: one line that says what to write."""

import pytest

from oslo_asyncio.tests.functional.program import Program

IDLE = """
class Idle(service.Service):
    def start(self):
        say("started")

launcher = service.launch(CONF, Idle())
sys.exit(launcher.wait())
"""


@pytest.fixture
def hub_name():
    """These errors come before a hub is used: one is enough."""
    return "asyncio"


def refusal(program: Program) -> str:
    """The one line that the program ends with, before anything has started."""
    assert program.exit() == 1
    assert program.rest() == []
    lines = program.stderr.splitlines()
    assert len(lines) == 1, program.stderr
    return lines[0]


def test_an_unknown_hub_is_answered_with_those_that_are_installed(start):
    program = start(IDLE, hub="gevent")
    assert refusal(program) == (
        "hub 'gevent' is not installed; installed: asyncio, eventlet, uvloop; "
        f"set [oslo_asyncio] hub in {program.config} line 4"
    )


def test_an_unknown_hub_in_the_environment_is_blamed_on_the_environment(start):
    line = refusal(start(IDLE, env={"OSLO_ASYNCIO_HUB": "gevent"}))
    assert line.startswith("hub 'gevent' is not installed; installed: asyncio")
    assert line.endswith("set the environment variable OSLO_ASYNCIO_HUB")


def test_the_environment_overrides_the_config_file(start):
    program = start(
        """
        class Named(service.Service):
            def start(self):
                say(hub.current().name)

        sys.exit(service.launch(CONF, Named()).wait())
        """,
        hub="gevent",
        env={"OSLO_ASYNCIO_HUB": "uvloop"},
    )
    program.expect("uvloop")
    assert program.stop() == 0


MISSING = """
import importlib.abc, sys

class Uninstalled(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {name!r}:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)

sys.meta_path.insert(0, Uninstalled())
"""


@pytest.mark.parametrize("name", ["uvloop", "eventlet"])
def test_a_hub_without_its_library_names_the_extra_to_install(start, tmp_path, name):
    (tmp_path / "sitecustomize.py").write_text(MISSING.format(name=name))
    program = start(IDLE, hub=name, env={"PYTHONPATH": str(tmp_path)})
    line = refusal(program)
    assert line.startswith(f"hub '{name}' cannot be used: No module named '{name}'; ")
    assert line.endswith(f"pip install 'oslo.asyncio[{name}]'")


def test_the_eventlet_hub_in_an_unpatched_process_says_to_call_setup(start):
    program = start(
        """
        import sys
        from oslo_config import cfg
        from oslo_asyncio import service

        cfg.CONF(sys.argv[1:])
        service.launch(cfg.CONF, service.Service())
        """,
        hub="eventlet",
        preamble=False,
    )
    line = refusal(program)
    assert line.startswith("hub 'eventlet' cannot be used: nothing has patched")
    assert "call oslo_asyncio.hub.setup() in the first line" in line


@pytest.mark.parametrize("name", ["asyncio", "uvloop"])
def test_a_native_hub_in_a_patched_process_says_what_to_set(start, name):
    program = start(
        """
        import eventlet
        eventlet.monkey_patch()
        import sys
        from oslo_config import cfg
        from oslo_asyncio import service

        cfg.CONF(sys.argv[1:])
        service.launch(cfg.CONF, service.Service())
        """,
        hub=name,
        preamble=False,
    )
    assert program.exit() == 1
    assert "Traceback" not in program.stderr
    line = program.stderr.splitlines()[-1]  # eventlet itself warns before
    assert line.startswith(f"hub '{name}' cannot be used: eventlet has patched")
    assert "set [oslo_asyncio] hub = eventlet" in line


def test_a_config_file_that_is_missing_is_named(start):
    line = refusal(start(IDLE, arguments=("--config-file", "/nowhere/at.conf")))
    assert line.startswith("cannot read the configuration: ")
    assert "/nowhere/at.conf" in line


def test_a_config_dir_that_is_missing_is_named(start):
    line = refusal(start(IDLE, arguments=("--config-dir", "/nowhere/at.d")))
    assert line.startswith("cannot read the configuration: ")
    assert "/nowhere/at.d" in line


def test_a_config_file_that_is_broken_is_named_with_the_line(start):
    program = start(IDLE, default="no option here")
    line = refusal(program)
    assert line.startswith("cannot read the configuration: ")
    assert f"{program.config}:2" in line


OUT_OF_RANGE = {
    "[oslo_asyncio] pool_threads": "default:0",
    "[oslo_asyncio] pool_idle_timeout": "0",
    "[oslo_asyncio] resolver_timeout": "-1",
    "[oslo_asyncio] slow_callback_duration": "-1",
    "[DEFAULT] graceful_shutdown_timeout": "-1",
    "[DEFAULT] log_options": "perhaps",
}


@pytest.mark.parametrize("option", OUT_OF_RANGE)
def test_a_value_out_of_range_is_one_line_that_names_the_option(start, option):
    group, name = option.split()
    text = f"{name} = {OUT_OF_RANGE[option]}"
    where = {"default": text} if group == "[DEFAULT]" else {"own": text}
    line = refusal(start(IDLE, **where))
    assert line.startswith(f"{option} is not valid: ")


def test_an_unknown_resolver_is_answered_with_those_that_are_installed(start):
    line = refusal(start(IDLE, own="resolver = oracle"))
    assert line == (
        "resolver 'oracle' is not installed; installed: aiodns, threads; "
        "set [oslo_asyncio] resolver"
    )


WRONG = {
    "workers=0": "InvalidWorkers",
    "workers=-1": "InvalidWorkers",
    "workers='2'": "InvalidWorkers",
    "workers=True": "InvalidWorkers",
    "workers=1.5": "InvalidWorkers",
    "restart_method='hope'": "InvalidRestartMethod",
    "restart_method=None": "InvalidRestartMethod",
}


def test_wrong_arguments_are_refused_before_anything_starts(start):
    program = start(f"""
        from oslo_asyncio import exceptions

        class Idle(service.Service):
            def start(self):
                say("started")

        def refused(what, call, *args, **kwargs):
            try:
                call(*args, **kwargs)
            except Exception as error:
                say(what, type(error).__name__, error)

        for what in {list(WRONG)!r}:
            refused(what, service.launch, CONF, Idle(), **eval(f"dict({{what}})"))
        launcher = service.ServiceLauncher(CONF)
        for each in (Idle, object(), None, "Idle"):
            refused("service", service.launch, CONF, each)
            refused("service", launcher.launch_service, each)
        say("end")
    """)
    for what, error in WRONG.items():
        line = program.expect(f"{what} {error} ")
        assert what in line
    told = program.wait_for("service NotAService")
    assert "the class itself, not an instance: add ()" in told
    for _ in range(7):
        told = program.expect("service NotAService")
        assert "oslo_asyncio.service.ServiceBase" in told
    program.expect("end")
    assert program.exit() == 0


def test_addresses_that_cannot_be_listened_on_are_named(start):
    program = start("""
        from oslo_asyncio import exceptions

        taken = service.listen("127.0.0.1", 0)
        port = taken.getsockname()[1]
        for host, port in (
            ("127.0.0.1", port), ("192.0.2.1", 80), ("no.such.host.invalid", 80),
            ("127.0.0.1", 70000), ("127.0.0.1", -1),
        ):
            try:
                service.listen(host, port)
            except exceptions.ListenError as error:
                say(type(error).__name__, isinstance(error, OSError), error)
        try:
            service.listen_unix("/nowhere/at.sock")
        except exceptions.ListenError as error:
            say(error)
        path = os.path.abspath("taken.sock")
        with service.listen_unix(path):
            try:
                service.listen_unix(path)
            except exceptions.ListenError as error:
                say(error)
        service.listen_unix(path).close()
        say("taken over")
    """)
    line = program.expect("ListenError True cannot listen on 127.0.0.1:")
    assert line.endswith("Address already in use")
    program.expect("ListenError True cannot listen on 192.0.2.1:80: ")
    program.expect("ListenError True cannot listen on no.such.host.invalid:80: ")
    program.expect("ListenError True cannot listen on 127.0.0.1:70000: ")
    program.expect("ListenError True cannot listen on 127.0.0.1:-1: ")
    program.expect("cannot listen on /nowhere/at.sock: No such file or directory")
    line = program.expect("cannot listen on ")
    assert line.endswith("taken.sock: Address already in use")
    program.expect("taken over")
    assert program.exit() == 0
