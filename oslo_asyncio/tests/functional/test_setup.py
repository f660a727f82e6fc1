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
"""hub.setup(): which hub, found where, before anything else is imported."""

import pytest

NAMED = """
from oslo_asyncio import hub
print(hub.setup({arguments}).name)
"""


@pytest.fixture
def hub_name():
    """The hub that the config file names, unless a test says otherwise."""
    return "uvloop"


def chosen(program):
    name = program.next_line()
    assert program.exit() == 0
    assert program.stderr == ""
    return name


def named(start, arguments="", **options):
    source = NAMED.format(arguments=arguments)
    return chosen(start(source, preamble=False, **options))


def write(path, hub):
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"[oslo_asyncio]\nhub = {hub}\n")
    return str(path)


def test_setup_reads_the_config_file_of_the_command_line(start):
    assert named(start) == "uvloop"


def test_without_any_file_the_hub_is_asyncio(start):
    source = NAMED.format(arguments="")
    assert chosen(start(source, preamble=False, arguments=())) == "asyncio"


def test_the_last_of_several_config_files_wins(start, tmp_path):
    first = write(tmp_path / "first.conf", "gevent")
    last = write(tmp_path / "last.conf", "asyncio")
    files = ("--config-file", first, f"--config-file={last}")
    source = NAMED.format(arguments="")
    assert chosen(start(source, preamble=False, arguments=files)) == "asyncio"


def test_a_config_dir_wins_over_a_config_file(start, tmp_path):
    write(tmp_path / "conf.d" / "10-hub.conf", "gevent")
    write(tmp_path / "conf.d" / "20-hub.conf", "eventlet")
    file = write(tmp_path / "service.conf", "asyncio")
    arguments = ("--config-dir", str(tmp_path / "conf.d"), "--config-file", file)
    source = NAMED.format(arguments="")
    assert chosen(start(source, preamble=False, arguments=arguments)) == "eventlet"


def test_a_projects_own_files_are_found_in_the_home_directory(start, tmp_path):
    write(tmp_path / ".functionaltest" / "functionaltest.conf", "eventlet")
    source = NAMED.format(arguments="project='functionaltest'")
    home = {"HOME": str(tmp_path)}
    program = start(source, preamble=False, arguments=(), env=home)
    assert chosen(program) == "eventlet"


def test_the_command_line_wins_over_a_projects_own_files(start, tmp_path):
    write(tmp_path / ".functionaltest" / "functionaltest.conf", "eventlet")
    home = {"HOME": str(tmp_path)}
    name = named(start, arguments="project='functionaltest'", env=home)
    assert name == "uvloop"


def test_the_environment_wins_over_everything(start):
    assert named(start, env={"OSLO_ASYNCIO_HUB": "asyncio"}) == "asyncio"


def test_an_empty_variable_is_no_choice(start):
    assert named(start, env={"OSLO_ASYNCIO_HUB": ""}) == "uvloop"


def test_other_arguments_are_left_to_the_application(start, tmp_path):
    file = write(tmp_path / "service.conf", "asyncio")
    own = ("--debug", "-v", "--conf", "x", "run", "--", "y")
    arguments = ("--config-file", file, *own)
    program = start(
        """
        import sys
        from oslo_asyncio import hub
        before = list(sys.argv)
        name = hub.setup().name
        print(name, sys.argv == before)
        """,
        preamble=False,
        arguments=arguments,
    )
    assert chosen(program) == "asyncio True"


def test_argv_replaces_the_command_line(start):
    assert named(start, arguments="argv=[]") == "asyncio"


def test_setup_leaves_the_global_configuration_alone(start):
    program = start(
        """
        import sys
        from oslo_config import cfg
        from oslo_asyncio import hub
        hub.setup()
        cfg.CONF.register_cli_opt(cfg.BoolOpt("late"))
        cfg.CONF(["--late"])
        print(cfg.CONF.late, "oslo_asyncio" in cfg.CONF)
        """,
        preamble=False,
    )
    assert chosen(program) == "True False"


def test_setup_may_be_called_twice(start):
    program = start(
        """
        from oslo_asyncio import hub
        print(hub.setup() is hub.setup() is hub.current())
        """,
        preamble=False,
    )
    assert chosen(program) == "True"


def test_setup_patches_once_on_the_eventlet_hub(start):
    program = start(
        """
        from oslo_asyncio import hub
        hub.setup()
        import socket, threading
        before = socket.socket, threading.Lock, socket.getaddrinfo
        hub.setup()
        print(before == (socket.socket, threading.Lock, socket.getaddrinfo))
        """,
        hub="eventlet",
        preamble=False,
    )
    assert chosen(program) == "True"


@pytest.mark.parametrize("name", ["asyncio", "uvloop"])
def test_neither_import_nor_setup_loads_what_a_native_hub_does_not_need(start, name):
    program = start(
        """
        import sys
        unwanted = {
            "eventlet", "greenlet", "futurist", "oslo_messaging", "oslo_service",
            "oslo_log.log", "aiodns", "pycares",
        }
        import oslo_asyncio
        from oslo_asyncio import hub, service, executor, resolver, exceptions
        print(sorted(unwanted & set(sys.modules)))
        hub.setup()
        from oslo_config import cfg
        cfg.CONF(sys.argv[1:])
        launcher = service.launch(cfg.CONF, service.Service())
        launcher.stop()
        launcher.wait()
        print(sorted(unwanted & set(sys.modules)))
        """,
        hub=name,
        preamble=False,
        measured=False,
    )
    assert program.rest() == ["[]", "[]"]
    assert program.exit() == 0
