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

"""The programs that ``oslo-asyncio run`` finds, and those that it refuses."""

import gc
import sys

import pytest

from oslo_asyncio import exceptions
from oslo_asyncio._takeover import interpreter
from oslo_asyncio._takeover import program
from oslo_asyncio.cmd import run


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        ("cmd", (None, "cmd", [])),
        ("cmd -h --hub x -- y", (None, "cmd", ["-h", "--hub", "x", "--", "y"])),
        ("--hub x cmd --hub y", ("x", "cmd", ["--hub", "y"])),
        ("--hub=x cmd --", ("x", "cmd", ["--"])),
        ("-- cmd -- y", (None, "cmd", ["--", "y"])),
        ("--hub x -- -cmd -y", ("x", "-cmd", ["-y"])),
        ("-- --hub x", (None, "--hub", ["x"])),
    ],
)
def test_the_first_word_that_is_no_option_is_the_command(line, parsed):
    found = run.parse(line.split())
    assert (found.hub, found.command, found.args) == parsed


def test_a_console_script_belongs_to_the_package_of_its_function():
    found = program.find("oslo-config-generator")
    assert found.package == "oslo_config"
    assert found.name == "oslo-config-generator"
    assert found.load().__module__ == "oslo_config.generator"


def test_its_path_belongs_to_that_package_as_well(tmp_path):
    path = tmp_path / "oslo-config-generator"
    path.write_text("#!/usr/bin/env python3\n")
    assert program.find(str(path)).package == "oslo_config"


def test_a_path_of_a_script_that_nobody_has_installed_belongs_to_none(tmp_path):
    path = tmp_path / "quince.py"
    path.write_text("")
    found = program.find(str(path))
    assert (found.path, found.name, found.package) == (str(path), "quince.py", None)


def test_a_function_belongs_to_the_package_of_its_module():
    found = program.find("os.path:join")
    assert (found.package, found.load()("a", "b")) == ("os", "a/b")


@pytest.fixture
def thawed():
    yield
    gc.unfreeze()


def test_what_a_program_imports_is_no_work_for_the_collector(thawed):
    kept = []

    def load():
        assert not gc.isenabled()
        kept.append([{}])
        return print

    assert program.Program("quince", None, load).load_for_good() is print
    assert gc.isenabled()
    assert not any(each is kept[0] for each in gc.get_objects())


def test_a_program_that_cannot_be_imported_leaves_the_collector_as_it_was():
    def load():
        raise ImportError("quince")

    frozen = gc.get_freeze_count()
    with pytest.raises(ImportError, match="quince"):
        program.Program("quince", None, load).load_for_good()
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, frozen)


def test_a_script_that_cannot_be_read_is_refused_with_the_systems_reason():
    with pytest.raises(exceptions.CommandUnusable) as caught:
        interpreter.check("/proc/self/mem")
    assert str(caught.value) == "cannot run /proc/self/mem: Input/output error"


def test_of_two_interpreters_in_a_folder_the_version_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    major, minor = sys.version_info[:2]
    script = tmp_path / "pick"
    for name in ("python", "python3", f"python{major}.{minor}"):
        script.write_text(f"#!{tmp_path}/{name}\n")
        interpreter.check(str(script))
    script.write_text(f"#!{tmp_path}/python{major}.{minor + 1}\n")
    with pytest.raises(exceptions.CommandUnusable, match="it belongs to"):
        interpreter.check(str(script))


def test_a_shell_script_that_pip_has_written_says_whose_it_is(tmp_path):
    path = tmp_path / "pick"
    path.write_text("#!/bin/sh\n'''exec' \"/srv/a b/python3\" \"$0\" \"$@\"\n' '''\n")
    with pytest.raises(exceptions.CommandUnusable) as caught:
        interpreter.check(str(path))
    assert "it belongs to /srv/a b/python3, and" in str(caught.value)
    path.write_text(f"#!/bin/sh\n'''exec' {sys.executable} \"$0\" \"$@\"\n' '''\n")
    interpreter.check(str(path))
