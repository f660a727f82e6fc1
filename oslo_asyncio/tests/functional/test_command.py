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

"""``oslo-asyncio hub list`` and what else is done with cliff."""

import json
import pathlib
import re
import subprocess
import sys
import textwrap

import pytest

from oslo_asyncio.tests import project

COLUMNS = ["Hub", "Chosen", "Available", "Package"]


@pytest.fixture
def orchard(tmp_path):
    """An installed project."""
    return project.Project(tmp_path)


def rows(orchard, *words, **options):
    """The table, by the names of the hubs."""
    done = orchard.call("hub", "list", "-f", "json", *words, **options)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert all([*row] == COLUMNS for row in found)
    return {row["Hub"]: row for row in found}


def chosen(orchard, *words, **options):
    """Each hub that is chosen, and where."""
    found = rows(orchard, *words, **options).values()
    return {row["Hub"]: row["Chosen"] for row in found if row["Chosen"]}


class TestChosen:
    def test_without_a_word_about_it_the_default_is(self, orchard):
        assert chosen(orchard) == {"asyncio": "default"}

    def test_a_config_file_chooses_in_a_line(self, orchard):
        file = orchard.config("[DEFAULT]\n[oslo_asyncio]\n# not this\nhub = uvloop\n")
        place = {"uvloop": f"{file} line 4"}
        assert chosen(orchard, "--config-file", file) == place

    def test_the_last_of_several_files_does(self, orchard):
        first = orchard.config("[oslo_asyncio]\nhub = uvloop\n", "a.conf")
        last = orchard.config("[oslo_asyncio]\nhub = eventlet\n", "b.conf")
        said = chosen(orchard, "--config-file", first, "--config-file", last)
        assert said == {"eventlet": f"{last} line 2"}

    def test_a_file_in_a_folder_does_over_a_single_one(self, orchard):
        single = orchard.config("[oslo_asyncio]\nhub = eventlet\n")
        inner = orchard.config("[oslo_asyncio]\n\nhub = uvloop\n", "conf.d/a.conf")
        words = ("--config-dir", inner.parent, "--config-file", single)
        assert chosen(orchard, *words) == {"uvloop": f"{inner} line 3"}

    def test_a_projects_own_file_does(self, orchard):
        file = orchard.config("[oslo_asyncio]\nhub = uvloop\n", ".orchard/orchard.conf")
        assert chosen(orchard) == {"asyncio": "default"}
        place = {"uvloop": f"{file} line 2"}
        assert chosen(orchard, "--project", "orchard") == place

    def test_the_environment_does_over_all_of_them(self, orchard):
        file = orchard.config("[oslo_asyncio]\nhub = eventlet\n")
        said = chosen(orchard, "--config-file", file, OSLO_ASYNCIO_HUB="uvloop")
        assert said == {"uvloop": "environment OSLO_ASYNCIO_HUB"}

    def test_so_does_the_variable_that_oslo_config_reads(self, orchard):
        said = chosen(orchard, OS_OSLO_ASYNCIO__HUB="uvloop")
        assert said == {"uvloop": "environment OS_OSLO_ASYNCIO__HUB"}

    def test_what_is_not_installed_has_a_row_and_the_list_succeeds(self, orchard):
        file = orchard.config("[oslo_asyncio]\nhub = gevent\n")
        found = rows(orchard, "--config-file", file)
        assert [*found["gevent"].values()] == [
            "gevent",
            f"{file} line 2",
            "no: not installed",
            "",
        ]
        assert [*found] == ["asyncio", "eventlet", "gevent", "uvloop"]


class TestAvailable:
    def test_what_can_be_loaded_is(self, orchard):
        found = rows(orchard)
        assert {row["Available"] for row in found.values()} == {"yes"}
        assert {row["Package"].split()[0] for row in found.values()} == {"oslo.asyncio"}

    @pytest.mark.parametrize("name", ["uvloop", "eventlet"])
    def test_a_missing_library_is_named_with_its_remedy(self, orchard, name):
        orchard.uninstall(name)
        assert rows(orchard)[name]["Available"] == (
            f"no: No module named '{name}'; install what it needs: "
            f"pip install 'oslo.asyncio[{name}]'"
        )
        assert rows(orchard)["asyncio"]["Available"] == "yes"

    def test_a_hub_of_another_package_that_fails_hides_no_other(self, orchard):
        orchard.write("cellar.py", "raise RuntimeError('it is dark')\n")
        orchard.write(
            "hubs.py",
            """
            from oslo_asyncio import hub

            class Plain(hub.Hub):
                name = "plain"
                new_event_loop = None

            class Picky(Plain):
                def __init__(self, colour):
                    pass
            """,
        )
        with orchard.entry_points.open("a") as file:
            file.write(
                "[oslo_asyncio.hubs]\nplain = orchard.hubs:Plain\n"
                "picky = orchard.hubs:Picky\nabsent = orchard.hubs:Absent\n"
                "dark = orchard.cellar:Dark\n"
            )
        found = rows(orchard)
        assert found["plain"]["Available"] == "yes"
        assert found["plain"]["Package"] == "orchard 1.0"
        assert found["dark"]["Available"].startswith("no: it is dark; ")
        assert "has no attribute 'Absent'" in found["absent"]["Available"]
        assert found["picky"]["Available"].startswith("no: Picky.__init__() missing")
        assert found["uvloop"]["Available"] == "yes"

    def test_the_process_is_not_patched(self, orchard):
        code = (
            "import socket, sys; from oslo_asyncio.cmd import main; "
            "before = socket.socket; status = main.main(['hub', 'list']); "
            "assert status == 0 and 'eventlet' in sys.modules; "
            "assert socket.socket is before"
        )
        for name in "asyncio", "eventlet":
            done = subprocess.run(
                [sys.executable, "-c", code],
                env=orchard.environment(OSLO_ASYNCIO_HUB=name),
                stdout=subprocess.PIPE,
                check=True,
            )
            assert b"environment OSLO_ASYNCIO_HUB" in done.stdout


@pytest.mark.parametrize(
    ("form", "first"),
    [
        ("csv", '"Hub","Chosen","Available","Package"'),
        ("table", "+----------+"),
        ("value", "asyncio default yes oslo.asyncio"),
        ("yaml", "- Available: 'yes'"),
    ],
)
def test_it_is_shown_in_each_form(orchard, form, first):
    assert orchard.said("hub", "list", "-f", form)[0].startswith(first)


@pytest.mark.parametrize("text", ["hub\n", "[oslo_asyncio\n", None])
def test_a_bad_config_file_is_the_same_sentence_as_everywhere(orchard, text):
    file = orchard.folder / "orchard.conf"
    if text is not None:
        file.write_text(text)
    orchard.write("tools.py", "def main(): pass\n")
    said = orchard.refusal("hub", "list", "--config-file", file)
    assert said.startswith("cannot read the configuration: Failed to ")
    service = orchard.refusal("run", "orchard.tools:main", "--config-file", file)
    assert said == service


class TestCliff:
    def test_the_version(self, orchard):
        [said] = orchard.said("--version")
        assert said.startswith("oslo-asyncio ")

    def test_the_help_of_run_is_the_same_by_both_ways(self, orchard):
        said = orchard.said("help", "run")
        assert said == orchard.said("run", "--help") == orchard.said("run", "-h")

    def test_without_a_word_it_says_which_there_are_and_starts_no_shell(self, orchard):
        done = orchard.call()
        assert done.returncode == 1
        assert "\n  hub list " in done.stdout
        assert "\n  run " in done.stdout
        assert done.stderr == ""

    def test_options_before_run_are_refused(self, orchard):
        sentence = orchard.refusal("-v", "run", "orchard.tools:main")
        assert sentence == "oslo-asyncio: write run first: oslo-asyncio run COMMAND"

    @pytest.mark.parametrize("words", [("hub", "list"), ("--help",), ()])
    def test_where_it_is_not_installed_it_says_what_to_install(self, orchard, words):
        orchard.uninstall("cliff")
        assert orchard.refusal(*words) == (
            "oslo-asyncio cannot be used: No module named 'cliff'; install what it "
            "needs: pip install 'oslo.asyncio[cli]'"
        )

    def test_a_fault_of_cliffs_own_is_not_taken_for_its_absence(self, orchard):
        orchard.uninstall("autopage")
        done = orchard.call("hub", "list")
        assert done.returncode == 1
        assert done.stderr.endswith("No module named 'autopage'\n")


PAGE = pathlib.Path(__file__).parents[3] / "doc/source/reference/command.rst"


def shown():
    """The page's examples of commands with their output, where there is a page."""
    text = PAGE.read_text() if PAGE.exists() else ""
    for block in re.findall(r"code-block:: console\n\n((?: {3}.*\n|\n)+)", text):
        lines = textwrap.dedent(block).strip().splitlines()
        if lines[-1] != "true":  # jq's
            yield lines


@pytest.mark.parametrize("lines", [*shown()], ids=lambda lines: lines[0])
def test_the_page_shows_what_the_command_says(orchard, lines):
    orchard.uninstall("uvloop")
    environment, words = {}, ()
    while lines[0].startswith("$ "):
        line = lines.pop(0)
        if line.startswith("$ export "):
            name, _, value = line.removeprefix("$ export ").partition("=")
            environment[name] = value
        else:
            words = line.removeprefix("$ oslo-asyncio ").split()
    said = orchard.said(*words, **environment)
    assert [line.rstrip() for line in said] == lines


def test_the_page_has_examples():
    assert len([*shown()]) == 2 or not PAGE.exists()
