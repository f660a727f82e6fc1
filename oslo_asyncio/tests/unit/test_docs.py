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

"""The documentation says what the code does."""

import ast
import configparser
import errno
import functools
import importlib
import itertools
import os
import pathlib
import pkgutil
import re
import string
import subprocess
import sys
import textwrap

from oslo_config import cfg
import pytest

import oslo_asyncio
from oslo_asyncio import exceptions
from oslo_asyncio import opts

ROOT = pathlib.Path(__file__).parents[3]
DOC = ROOT / "doc/source"
README = ROOT / "README.rst"
PACKAGE = pathlib.Path(oslo_asyncio.__file__).parent
FUNCTIONAL = ROOT / "oslo_asyncio/tests/functional/test_examples.py"
MESSAGING = ROOT / "oslo_asyncio/tests/messaging/test_examples.py"
VOLUMES = ROOT / "oslo_asyncio/tests/messaging/test_volumes.py"

pytestmark = pytest.mark.skipif(
    not DOC.is_dir(), reason="the documentation is not installed with the package"
)


def pages():
    found = [README, ROOT / "CONTRIBUTING.rst", *DOC.rglob("*.rst")]
    return {page.relative_to(ROOT).as_posix(): page.read_text() for page in found}


def blocks(text, language):
    """The code blocks of a page in one language."""
    start = re.compile(
        rf"^( *)\.\. code-block:: {language}\n(?:\1   +:.*\n)*\n", re.MULTILINE
    )
    for match in start.finditer(text):
        indent = len(match[1])
        lines = itertools.takewhile(
            lambda line, indent=indent: (
                not line.strip() or len(line) - len(line.lstrip()) > indent
            ),
            text[match.end() :].split("\n"),
        )
        yield textwrap.dedent("\n".join(lines)).strip() + "\n"


def all_blocks(language):
    return [
        pytest.param(block, id=f"{page}-{number}")
        for page, text in pages().items()
        for number, block in enumerate(blocks(text, language))
    ]


def tox_environments():
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    for section in parser.sections():
        name = section.removeprefix("testenv:")
        head, _, rest = name.partition("{")
        variants, _, tail = rest.partition("}")
        yield from (head + variant + tail for variant in variants.split(","))


class TestCommands:
    @pytest.mark.parametrize("page", [*pages(), ".ci/run"])
    def test_each_tox_environment_that_is_named_exists(self, page):
        path = ROOT / page
        text = path.read_text() if path.exists() else ""
        named = set(re.findall(r"tox (?:-q )?-q?e ([\w,-]+)", text))
        named = {name for names in named for name in names.split(",")}
        assert named <= {*tox_environments()}

    def test_the_readme_has_a_command_for_the_demo_and_one_for_the_tests(self):
        setup = "    python3 -m venv .venv && .venv/bin/pip install --quiet tox && "
        commands = [
            line.removeprefix(setup)
            for line in README.read_text().splitlines()
            if line.startswith(setup)
        ]
        assert commands == [".venv/bin/tox -q -e demo", ".venv/bin/tox -q"]

    def test_the_files_that_the_readme_links_to_exist(self):
        links = re.findall(r"<([\w./-]+\.rst)>`_", README.read_text())
        assert len(links) > 5
        assert [link for link in links if not (ROOT / link).exists()] == []


class TestCode:
    def test_the_service_in_the_readme_is_the_example(self):
        [shown] = blocks(README.read_text(), "python")
        example = (ROOT / "examples/ticker.py").read_text()
        assert example.partition("# ruff: noqa: E402\n\n")[2] == shown

    def test_the_tutorial_shows_nothing_but_files(self):
        for name, text in pages().items():
            if "/tutorial/" in name:
                assert not {*blocks(text, "python"), *blocks(text, "ini")}, name

    def test_each_file_that_is_shown_is_run(self):
        tests = FUNCTIONAL.read_text() + MESSAGING.read_text() + VOLUMES.read_text()
        shown = []
        for name, text in pages().items():
            for target in re.findall(r"literalinclude:: (.*)", text):
                path = (ROOT / name).parent / target
                if path.name != "oslo_asyncio.conf.sample":  # made by the build
                    assert path.exists(), f"{name}: {target}"
                    shown.append(path.name)
        assert len(shown) > 10
        assert [name for name in shown if f'"{name}"' not in tests] == []

    @pytest.mark.parametrize("code", all_blocks("python"))
    def test_python_that_is_shown_in_a_page_runs_or_is_a_file(self, code):
        if "sys.exit(" not in code:  # the README's service, see above
            assert run(code) == ""

    @pytest.mark.parametrize("text", all_blocks("ini"))
    def test_a_config_file_that_is_shown_is_valid(self, text, tmp_path):
        parser = configparser.ConfigParser(interpolation=None, default_section="")
        parser.read_string(text)
        if "entry_points" in parser:
            return  # a setup.cfg
        for group, options in opts.list_opts():
            section = group or "DEFAULT"
            if section in parser:
                assert {*parser[section]} <= {option.dest for option in options}
        path = tmp_path / "shown.conf"
        path.write_text(text)
        conf = cfg.ConfigOpts()
        conf(["--config-file", str(path)])
        opts.register(conf)
        opts.validate(conf)


def run(code, **environment):
    """Run Python code in a process of its own; its last line on stderr."""
    kept = {k: v for k, v in os.environ.items() if k != "OSLO_ASYNCIO_HUB"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return "".join(done.stderr.splitlines()[-1:])


class TestOptions:
    def test_each_has_a_help_text_that_is_a_sentence(self):
        for _group, options in opts.list_opts():
            for option in options:
                assert option.help, option.name
                assert option.help[0].isupper(), option.name
                assert option.help.endswith("."), option.name

    def test_each_that_a_page_names_exists(self):
        known = {
            option.dest for _group, options in opts.list_opts() for option in options
        }
        for name, text in pages().items():
            named = set(re.findall(r"\[oslo_asyncio\] (\w+)", text)) - {"hub"}
            assert named <= known, name


class TestReference:
    def test_each_public_module_has_a_page(self):
        modules = [
            module.name
            for module in pkgutil.iter_modules(oslo_asyncio.__path__)
            if not module.name.startswith("_") and module.name not in ("cmd", "tests")
        ]
        index = (DOC / "reference/index.rst").read_text()
        for name in modules:
            page = (DOC / f"reference/{name}.rst").read_text()
            assert f".. automodule:: oslo_asyncio.{name}\n" in page
            assert f"\n   {name}\n" in index

    def test_each_page_is_in_a_table_of_contents(self):
        listed = set()
        for name, text in pages().items():
            folder = (ROOT / name).parent
            for entry in re.findall(r"^   ([\w/-]+)$", text, re.MULTILINE):
                listed.add((folder / f"{entry}.rst").resolve())
            if ":glob:" in text:
                listed.update(folder.glob("*.rst"))
        lost = {*DOC.rglob("*.rst")} - listed - {DOC / "index.rst"}
        assert lost == set()

    @pytest.mark.parametrize(
        "target",
        sorted(set(re.findall(r":`[^`]*?\b(oslo_asyncio\.[\w.]+)", str(pages())))),
    )
    def test_what_a_page_refers_to_exists(self, target):
        thing, (_package, module, *names) = oslo_asyncio, target.split(".")
        if hasattr(oslo_asyncio, module) and module in oslo_asyncio.__all__:
            names = [module, *names]
        else:
            thing = importlib.import_module(f"oslo_asyncio.{module}")
        for name in names:
            thing = getattr(thing, name)


class TestContributorGuide:
    def test_each_module_that_is_named_exists(self):
        text = (DOC / "contributor/layers.rst").read_text()
        named = set(re.findall(r"``(_[a-z]\w*(?:/\w+)?)``", text))
        assert len(named) > 20
        found = [(PACKAGE / f"{name}.py", PACKAGE / name) for name in named]
        assert [paths for paths in found if not any(p.exists() for p in paths)] == []

    def test_each_name_on_the_way_of_a_sigterm_exists(self):
        text = (DOC / "contributor/sigterm.rst").read_text()
        files = {*re.findall(r"``(\w+(?:/\w+)?\.py)``", text)}
        assert len(files) > 10
        assert files <= {path.relative_to(PACKAGE).as_posix() for path in modules()}
        code = "".join(path.read_text() for path in modules())
        for owner, name in re.findall(r"``(?:([A-Z]\w+)\.)?(\w+)``", text):
            assert not owner or f"class {owner}" in code, owner
            if owner or name.startswith("_"):
                assert re.search(rf"\bdef {name}\(|\b{name} = ", code), name


def modules():
    """The files of the package, without the tests."""
    return [path for path in PACKAGE.rglob("*.py") if "tests" not in path.parts]


def rows():
    """The table of faults: what is done about each, by number."""
    page = DOC / "user/explanation/failures.rst"
    text = page.read_text() if page.exists() else ""
    cell = r" {5}- (.+\n(?: {7}.+\n)*)"
    found = re.findall(rf"^   \* - (\d+)\n{cell}{cell}", text, re.MULTILINE)
    return {int(number): promise for number, _fault, promise in found}


def nodes():
    for path in modules():
        yield from ast.walk(ast.parse(path.read_text()))


def pattern(node):
    """A text in the code as a pattern for what becomes of it, or None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = re.sub(r"%(\(\w+\))?[a-z]", "\0", node.value)
    elif isinstance(node, ast.JoinedStr):
        text = "".join(
            part.value if isinstance(part, ast.Constant) else "\0"
            for part in node.values
        )
    else:
        return None
    text = text.split("\n")[0]
    if sum(character in string.ascii_letters for character in text) > 5:
        return re.compile(re.escape(text).replace("\0", ".+"))
    return None


@functools.cache
def literal_sentences():
    """Each text in the package."""
    return [found for node in nodes() if (found := pattern(node))]


def logged_sentences():
    """Each text that is logged at INFO or above, as it is written in the call."""
    names = {"info", "warning", "error", "exception", "log", "_end", "_report"}
    for node in nodes():
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in names:
            yield from filter(None, map(pattern, node.args))


#: The supervisor makes a line of who and what, and of a signal behind it.
AROUND = re.compile(r"^Worker \w+ of \w+ \(pid \w+\) |: SIG[A-Z]+$")


class TestFailures:
    def test_the_page_has_62_rows_in_order(self):
        assert [*rows()] == [*range(1, 63)]

    @pytest.mark.parametrize("number", rows())
    def test_each_row_is_held_by_a_test_unless_it_says_otherwise(self, number):
        files = (PACKAGE / "tests").rglob("test_*.py")
        code = "".join(path.read_text() for path in files)
        # what "pytest -k row_24_" selects
        held = re.findall(rf"def (test_\w*row_{number}_\w+)", code)
        absent = "*Not there yet*" in rows()[number]
        assert bool(held) != absent, f"row {number}: {held or 'no test'}"


class TestSentences:
    @pytest.mark.parametrize("block", all_blocks("output"))
    def test_each_log_line_that_is_shown_can_be_logged(self, block):
        if "\n  " in block:
            return  # a stack belongs to it
        for line in filter(None, block.splitlines()):
            said = line.removesuffix(" ...") if line.endswith("at ...") else line
            parts = (said, AROUND.sub("", said))
            known = literal_sentences()
            assert any(each.fullmatch(part) for part in parts for each in known), line

    def test_each_line_that_can_be_logged_is_listed(self):
        page = (DOC / "reference/exit.rst").read_text()
        lines = "".join(blocks(page, "output")).splitlines()
        listed = [line.removesuffix(" ...") for line in lines]
        for each in logged_sentences():
            assert any(each.fullmatch(line) for line in listed), each.pattern

    def test_each_sentence_of_an_error_that_is_shown_is_what_the_error_says(self):
        made = [*map(str, made_here()), *made_elsewhere()]
        shown = {
            " ".join(block.split()): page
            for page, text in pages().items()
            for block in blocks(text, "text")
        }
        assert len(shown) > 10
        assert {s: page for s, page in shown.items() if s not in made} == {}


def made_here():
    """The errors that the pages show, with their data."""
    installed = ["uvloop", "eventlet", "asyncio"]
    line = "[oslo_asyncio] hub in /etc/my-service.conf line 12"
    yield exceptions.HubNotFound("gevent", installed, line)
    yield exceptions.HubUnavailable(
        "asyncio",
        "this program knows only eventlet: masakari, masakari.cmd imported it and "
        "patched the standard library",
        "set [oslo_asyncio] hub = eventlet",
    )
    yield exceptions.OnLoopThread("fetch_user")
    yield exceptions.LoopNotRunning("run_async")
    yield exceptions.WaitOnLoop("the looping call of Volume.poll")
    yield exceptions.LoopStopped("fetch_user")
    yield exceptions.InvalidPeriodicTaskArg("ticks_between_runs")
    yield exceptions.PoolNotFound("backends", {"backend", "default", "resolver"})
    yield exceptions.LookupTimeout("db.example.org", 5.0).strerror
    yield exceptions.ResolverNotFound("unbound", ["threads", "aiodns"])
    missing = "there is no file '/etc/api/cert.pem'"
    yield exceptions.InvalidTls("cert_file", missing)
    yield exceptions.InvalidEnvironment("LISTEN_FDS", "one", "it has to be a number")
    for address, number in (
        ("localhost:80", errno.EACCES),
        ("/run/echo.sock", errno.EADDRINUSE),
    ):
        reason = OSError(number, os.strerror(number))
        yield exceptions.ListenError(address, reason)


def made_elsewhere():
    """Those that take a process that eventlet has patched, or not."""
    load = "from oslo_asyncio import hub\nfrom oslo_config import cfg\n"
    load += "conf = cfg.ConfigOpts()\nconf([])\nhub.load(conf)\n"
    patch = "import eventlet\neventlet.monkey_patch()\n"
    setup = "from oslo_asyncio import hub\nhub.setup(argv=[])\n"
    own = "import eventlet.hubs\neventlet.hubs.use_hub('eventlet.hubs.asyncio')\n"
    yield run(patch + load)
    yield run(load, OSLO_ASYNCIO_HUB="eventlet")
    yield run(setup + own + load, OSLO_ASYNCIO_HUB="eventlet")
