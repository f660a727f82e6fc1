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

"""``oslo-asyncio run``: whatever the program does, it does as it would without."""

import os
import signal
import sys

import pytest

from oslo_asyncio.tests import project
from oslo_asyncio.tests.functional import program

ARGUMENTS = "import sys\ndef main(): print(*sys.argv, sep='\\n')\n"
HUB = "def main():\n    from oslo_asyncio import hub\n    print(hub.current().name)\n"


@pytest.fixture
def orchard(tmp_path):
    """An installed project without any script yet."""
    return project.Project(tmp_path)


class TestStatus:
    """A program's end is its own."""

    def ended(self, orchard, body):
        orchard.script("orchard-pick", f"def main():\n    {body}\n")
        return orchard.call("run", "orchard-pick")

    @pytest.mark.parametrize(("body", "status"), [("return 3", 3), ("return", 0)])
    def test_what_main_returns_is_the_status(self, orchard, body, status):
        done = self.ended(orchard, body)
        assert (done.returncode, done.stdout, done.stderr) == (status, "", "")

    def test_a_sentence_is_printed_and_the_status_is_1(self, orchard):
        done = self.ended(orchard, "raise SystemExit('no ladder')")
        assert (done.returncode, done.stderr) == (1, "no ladder\n")

    def test_an_exception_is_shown_with_its_traceback(self, orchard):
        done = self.ended(orchard, "raise LookupError('no apple')")
        assert done.returncode == 1
        assert done.stderr.startswith("Traceback (most recent call last)")
        assert done.stderr.endswith("LookupError: no apple\n")
        assert "orchard_pick.py" in done.stderr

    @pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
    def test_a_signal_that_ends_it_is_what_it_died_of(self, orchard, signum):
        # a shell that runs us in the background has had SIGINT ignored
        hear = "signal.signal(signal.SIGINT, signal.default_int_handler)"
        kill = f"os.kill(os.getpid(), {int(signum)})"
        body = f"import os, signal; {hear}; {kill}"
        assert self.ended(orchard, body).returncode == -signum


IDLE = """
import resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

class Idle(service.Service):
    def start(self):
        say("started")

    def reset(self):
        say("reset")

sys.exit(service.launch(CONF, Idle(), workers={workers}).wait())
"""


@pytest.fixture
def run(start):
    """Run a program by its path: ``run(source, **options)``; see ``start``."""

    def run(source, **options):
        return start(source, options=(project.COMMAND, "run"), **options)

    return run


class TestSignals:
    """A service gets its signals, and nobody stands between."""

    @pytest.mark.parametrize("workers", [None, 2])
    def test_sigterm_stops_it_with_status_0(self, run, workers):
        service = run(IDLE.format(workers=workers))
        for _each in range(workers or 1):
            service.expect("started")
        assert service.stop() == 0

    def test_sigint_stops_it_with_status_0(self, run):
        service = run(IDLE.format(workers=None))
        service.expect("started")
        service.signal(signal.SIGINT)
        assert service.exit() == 0

    def test_sigkill_kills_it(self, run):
        service = run(IDLE.format(workers=None))
        service.expect("started")
        service.signal(signal.SIGKILL)
        assert service.exit() == -signal.SIGKILL

    def test_sighup_reloads_it(self, run):
        service = run(IDLE.format(workers=None))
        service.expect("started")
        service.signal(signal.SIGHUP)
        service.expect("reset")
        service.expect("started")
        assert service.stop() == 0

    def test_the_hub_is_the_one_of_its_config_file(self, run, hub_name):
        service = run("say(hub.current().name)")
        service.expect(hub_name)
        assert service.exit() == 0


NAMES = """
def main():
    import os, signal
    from oslo_asyncio import service
    from oslo_config import cfg

    program = os.getpid()

    class Named(service.Service):
        def start(self):
            for pid in sorted({os.getpid(), program}):
                name = open(f"/proc/{pid}/comm").read().strip()
                line = open(f"/proc/{pid}/cmdline").read().strip(chr(0) + " ")
                print(name, line.replace(chr(0), " "), flush=True)
            os.kill(program, signal.SIGTERM)

    cfg.CONF([], project="orchard", prog="orchard")  # as designate does
    launcher = service.LAUNCHER(cfg.CONF)
    launcher.launch_service(Named())
    return launcher.wait()
"""


class TestNames:
    """``ps`` shows the service, and not the interpreter."""

    def names(self, orchard, launcher="ProcessLauncher", script="orchard-conductor"):
        orchard.script(script, NAMES.replace("LAUNCHER", launcher))
        return orchard.said("run", script, "--verbose")

    def test_it_is_the_name_of_the_command(self, orchard):
        [said] = self.names(orchard, "ServiceLauncher")
        assert said == "orchard-conduct orchard-conductor --verbose"

    def test_a_launcher_and_its_workers_have_it_as_well(self, orchard):
        name = "orchard-conduct orchard-conductor:"
        assert self.names(orchard) == [f"{name} launcher", f"{name} worker 0 of Named"]

    def test_a_short_name_is_not_filled_up_with_what_follows(self, orchard):
        said = self.names(orchard, script="tree")
        assert said == ["tree tree: launcher", "tree tree: worker 0 of Named"]

    def test_it_takes_no_setproctitle(self, orchard):
        orchard.uninstall("setproctitle")
        launcher, worker = self.names(orchard)
        assert launcher == worker
        assert launcher.startswith("orchard-conduct ")
        assert launcher.endswith("oslo-asyncio run orchard-conductor --verbose")


class TestArguments:
    """What follows the command is not ours."""

    def arguments(self, orchard, *words):
        orchard.script("orchard-pick", ARGUMENTS)
        return orchard.said("run", *words)

    @pytest.mark.parametrize(
        "words",
        [
            ("--help",),
            ("--version", "-h"),
            ("--hub", "gevent"),
            ("--", "-x"),
            ("a", "--", "b", "--"),
            ("run", ""),
        ],
    )
    @pytest.mark.parametrize(
        "before", [(), ("--",), ("--hub", "uvloop"), ("--hub=asyncio",)]
    )
    def test_they_reach_the_program_as_they_are(self, orchard, before, words):
        said = self.arguments(orchard, *before, "orchard-pick", *words)
        assert said == ["orchard-pick", *words]

    def test_an_option_of_run_behind_a_double_dash_is_a_command(self, orchard):
        sentence = orchard.refusal("run", "--", "--hub")
        assert sentence.startswith("there is no program '--hub'; ")

    @pytest.mark.parametrize("words", [(), ("--hub", "asyncio"), ("--",), ("--hub",)])
    def test_without_a_command_the_usage_is_shown(self, orchard, words):
        done = orchard.call("run", *words)
        assert done.returncode == 2
        assert done.stderr.startswith(
            "usage: oslo-asyncio run [--hub NAME] COMMAND [ARGS...]\n"
        )
        assert "ARGS" not in done.stderr.splitlines()[-1]

    def test_an_unknown_option_before_the_command_is_refused(self, orchard):
        done = orchard.call("run", "--hubs", "asyncio", "orchard-pick")
        assert done.returncode == 2
        assert "unrecognized arguments: --hubs" in done.stderr


class TestHub:
    """Which hub a program runs on."""

    def hub(self, orchard, *words, **environment):
        orchard.script("orchard-pick", HUB)
        [name] = orchard.said("run", *words, **environment)
        return name

    def test_the_projects_own_config_file_names_it(self, orchard):
        orchard.config("[oslo_asyncio]\nhub = uvloop\n", ".orchard/orchard.conf")
        assert self.hub(orchard, "orchard-pick") == "uvloop"

    def test_the_programs_own_config_file_does_as_well(self, orchard):
        orchard.config("[oslo_asyncio]\nhub = uvloop\n", ".orchard/orchard-pick.conf")
        assert self.hub(orchard, "orchard-pick") == "uvloop"

    def test_the_services_command_line_names_a_file(self, orchard):
        file = orchard.config("[oslo_asyncio]\nhub = eventlet\n")
        assert self.hub(orchard, "orchard-pick", "--config-file", file) == "eventlet"

    def test_the_option_wins_over_file_and_environment(self, orchard):
        file = orchard.config("[oslo_asyncio]\nhub = eventlet\n")
        words = ("--hub", "uvloop", "orchard-pick", "--config-file", file)
        assert self.hub(orchard, *words, OSLO_ASYNCIO_HUB="asyncio") == "uvloop"

    def test_a_hub_that_is_not_installed_is_blamed_on_the_option(self, orchard):
        orchard.script("orchard-pick", HUB)
        sentence = orchard.refusal("run", "--hub", "gevent", "orchard-pick")
        assert sentence == (
            "hub 'gevent' is not installed; installed: asyncio, eventlet, uvloop; "
            "set --hub"
        )

    def test_or_on_the_line_of_the_file(self, orchard):
        orchard.script("orchard-pick", HUB)
        file = orchard.config("# a comment\n[oslo_asyncio]\nhub = gevent\n")
        sentence = orchard.refusal("run", "orchard-pick", "--config-file", file)
        assert sentence.endswith(f"; set [oslo_asyncio] hub in {file} line 3")

    def test_a_bad_config_file_is_one_sentence(self, orchard):
        orchard.script("orchard-pick", HUB)
        file = orchard.config("hub\n")
        sentence = orchard.refusal("run", "orchard-pick", "--config-file", file)
        start = f"cannot read the configuration: Failed to parse {file}"
        assert sentence.startswith(start)


class TestCommand:
    """A console script, a path, or module:function."""

    def test_a_function_of_a_module(self, orchard):
        orchard.write("tools.py", ARGUMENTS)
        said = orchard.said("run", "orchard.tools:main", "-x")
        assert said == ["orchard.tools:main", "-x"]

    def test_an_attribute_of_an_attribute(self, orchard):
        orchard.write(
            "tools.py",
            """
            class Tools:
                @staticmethod
                def main():
                    print("picked")
            """,
        )
        assert orchard.said("run", "orchard.tools:Tools.main") == ["picked"]

    @pytest.mark.parametrize(
        "name",
        ["quince:main", "orchard.quince:main", "orchard:main", "orchard:", ":main"],
    )
    def test_a_function_that_is_not_there(self, orchard, name):
        sentence = orchard.refusal("run", name)
        assert sentence.startswith(f"there is no program {name!r}; ")

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("orchard-pikc", "orchard-pick"),
            ("orchard.orchard_pick:man", "orchard.orchard_pick:main"),
        ],
    )
    def test_a_near_miss_is_answered_with_what_was_meant(self, orchard, name, meant):
        orchard.script("orchard-pick", ARGUMENTS)
        assert orchard.refusal("run", name).endswith(f"; did you mean {meant}?")

    def test_what_is_no_function_is_called_so(self, orchard):
        sentence = orchard.refusal("run", "orchard:__path__")
        assert sentence == "cannot run orchard:__path__: it is no function"

    @pytest.mark.parametrize("command", ["orchard.tools:main", "orchard-pick"])
    @pytest.mark.parametrize(
        ("code", "last"),
        [
            ("import quince", "ModuleNotFoundError: No module named 'quince'"),
            ("import os\nos.quince", "AttributeError: module 'os' has no attribute"),
        ],
    )
    def test_a_module_that_cannot_be_imported_shows_why(
        self, orchard, command, code, last
    ):
        orchard.script("orchard-pick", code)
        orchard.write("tools.py", code)
        done = orchard.call("run", command)
        assert done.returncode == 1
        assert done.stderr.startswith("Traceback")
        assert done.stderr.splitlines()[-1].startswith(last)

    def script(self, orchard, shebang, name="pick"):
        path = orchard.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        (path.parent / "basket.py").write_text("SIZE = 12\n")
        says = "import sys, basket\nprint(__name__, basket.SIZE, *sys.argv)\n"
        path.write_text(f"{shebang}\n{says}")
        path.chmod(0o755)
        return path

    @pytest.mark.parametrize(
        "shebang",
        [
            f"#!{sys.executable}",
            "#!/usr/bin/env python3",
            "#!/usr/bin/env -S python3 -P",
            f"#!/bin/sh\n'''exec' \"{sys.executable}\" \"$0\" \"$@\"\n' '''",
        ],
    )
    def test_a_path_of_a_script(self, orchard, shebang):
        path = self.script(orchard, shebang)
        said = orchard.said("run", path, "-x")
        assert said == [f"__main__ 12 {path} -x"]

    def test_a_file_of_python_needs_no_first_line(self, orchard):
        self.script(orchard, "", "pick.py")
        assert orchard.said("run", "bin/pick.py") == ["__main__ 12 bin/pick.py"]

    def test_a_file_in_this_folder(self, orchard):
        path = self.script(orchard, "", "pick.py")
        path.rename(orchard.folder / "pick.py")
        (path.parent / "basket.py").rename(orchard.folder / "basket.py")
        assert orchard.said("run", "pick.py") == ["__main__ 12 pick.py"]

    def test_a_script_on_the_path(self, orchard):
        path = self.script(orchard, "#!/usr/bin/env python3", "pick-by-hand")
        folders = os.pathsep.join((str(path.parent), os.environ["PATH"]))
        said = orchard.said("run", "pick-by-hand", PATH=folders)
        assert said == [f"__main__ 12 {path}"]

    def test_a_script_of_another_environment_is_refused(self, orchard):
        path = self.script(orchard, "#!/srv/orchard/bin/python3")
        assert orchard.refusal("run", path) == (
            f"cannot run {path}: it belongs to /srv/orchard/bin/python3, and "
            f"oslo-asyncio to {sys.executable}; install oslo.asyncio there"
        )

    @pytest.mark.parametrize("shebang", ["#!/bin/sh", "#!/usr/bin/env perl", "", "#!"])
    def test_what_is_not_python_is_refused(self, orchard, shebang):
        path = self.script(orchard, shebang)
        sentence = orchard.refusal("run", path)
        assert sentence == f"cannot run {path}: it is no Python script"

    def test_a_path_that_leads_nowhere(self, orchard):
        sentence = orchard.refusal("run", "./quince")
        assert sentence.startswith("there is no program './quince'; ")


PROBE = """
import sys

EARLY = [name for name in {unwanted!r} if name in sys.modules]

def main():
    from oslo_config import cfg
    from oslo_asyncio import service
    cfg.CONF([])
    launcher = service.launch(cfg.CONF, service.Service())
    launcher.stop()
    launcher.wait()
    late = [name for name in {unwanted!r} if name in sys.modules]
    print(EARLY, late)
"""


@pytest.mark.parametrize("hub", ["asyncio", "uvloop"])
def test_nothing_is_imported_before_the_program_does(orchard, hub):
    unwanted = (
        *("cliff", "cmd2", "eventlet", "greenlet", "futurist", "oslo_messaging"),
        *("oslo_service", "oslo_log.log", "cotyledon", "setuptools", "pkg_resources"),
    )
    orchard.write("probe.py", PROBE.format(unwanted=unwanted))
    words = ("run", "--hub", hub, "orchard.probe:main")
    assert orchard.said(*words, measured=False) == ["[] []"]


def test_it_takes_no_cliff(orchard):
    orchard.uninstall("cliff")
    orchard.script("orchard-pick", ARGUMENTS)
    assert orchard.said("run", "orchard-pick") == ["orchard-pick"]


def test_a_launcher_and_its_workers_run_on_the_hub_of_the_option(run, hub_name):
    other = "asyncio" if hub_name == "uvloop" else "uvloop"
    service = run(
        """
        class Named(service.Service):
            def start(self):
                say(hub.current().name)

        sys.exit(service.launch(CONF, Named(), workers=2).wait())
        """,
        env={"OSLO_ASYNCIO_HUB": other},
    )
    assert isinstance(service, program.Program)
    assert [service.next_line(), service.next_line()] == [other, other]
    assert service.stop() == 0
