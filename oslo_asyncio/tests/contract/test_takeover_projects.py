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


"""Programs shaped like those that OpenStack releases, not a line of them changed.

Each does at import and in its ``main()`` what the project of its name does, as far as
eventlet, threads and oslo.service are concerned.  Needs oslo.service in the
environment: ``tox -e contract``.
"""

import importlib.util

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("oslo_service") is None,
    reason="oslo.service is not installed: run tox -e contract",
)

#: A service that works a little in each of its processes, and then stops its program.
SERVICE = """
import os, signal, sys, threading
from oslo_config import cfg
from oslo_service import loopingcall, service

PROGRAM = os.getpid()
EARS, MOUTH = os.pipe()


class Picker(service.Service):
    def start(self):
        self.tg.add_timer(0.01, self.pick)

    def pick(self):
        import oslo_asyncio
        from oslo_asyncio import hub
        say(f"picked on {hub.current().name}")
        self.tg.stop_timers()
        os.write(MOUTH, b".")
        if oslo_asyncio.worker_id() == 0:
            for _each in range(WORKERS or 1):
                os.read(EARS, 1)
            os.kill(PROGRAM, signal.SIGTERM)

    def stop(self):
        say("stopped")
        super().stop()


def say(line):
    os.write(1, f"{line}\\n".encode())  # in one piece


def main():
    cfg.CONF(sys.argv[1:], project="orchard")
    launcher = service.launch(
        cfg.CONF, Picker(), workers=WORKERS, restart_method="mutate"
    )
    return launcher.wait()
"""


def picked(orchard, hub, workers=1):
    """Whether the program ran on the hub, and how often."""
    source = SERVICE.replace("WORKERS", str(workers))
    orchard.script("orchard-picker", source)
    said = orchard.said("run", "--hub", hub, "orchard-picker")
    return sorted(said) == sorted((workers or 1) * [f"picked on {hub}", "stopped"])


@pytest.mark.parametrize("workers", [None, 1, 2])
def test_one_that_chooses_threads_when_its_package_is_imported(
    orchard, hub_name, workers
):
    """neutron, blazar, magnum; ironic and heat do it in the module of main()."""
    orchard.write(
        "__init__.py",
        """
        import warnings
        from oslo_service import backend
        try:
            backend.init_backend(backend.BackendType.THREADING)
        except backend.exceptions.BackendAlreadySelected:
            warnings.warn("eventlet")
        from oslo_service.backend._threading import loopingcall
        """,
    )
    assert picked(orchard, hub_name, workers)


#: What nova, cinder and manila do before anything else, and how each keeps eventlet
#: out when it has chosen threads.
CHOOSING = """
import os, sys
from oslo_config import cfg

PATCHED = False
disabled = os.environ.get("OS_NOVA_DISABLE_EVENTLET_PATCHING", "").lower()
if disabled not in ("1", "true", "yes"):
    import eventlet
    eventlet.monkey_patch()
    PATCHED = True
    from oslo_service import backend
    backend.init_backend(backend.BackendType.EVENTLET)
else:
    POISON
    from oslo_service import backend
    backend.init_backend(backend.BackendType.THREADING)
"""
NO_IMPORT = """
    if "eventlet" in sys.modules:
        raise RuntimeError("eventlet was imported early")

    class Poison:
        def find_spec(self, fullname, path, target=None):
            if fullname.startswith("eventlet"):
                raise ImportError("nobody should import eventlet")

    sys.meta_path.insert(0, Poison())
"""
NO_PATCHING = """
    import eventlet

    def poison(*args, **kwargs):
        raise RuntimeError("nobody should patch")

    eventlet.monkey_patch = eventlet.patcher.monkey_patch = poison
"""


@pytest.mark.parametrize("workers", [None, 2])
def test_one_that_forbids_the_import_of_eventlet_when_it_is_not_used(
    orchard, hub_name, workers
):
    """nova"""
    orchard.write("__init__.py", CHOOSING.replace("    POISON", NO_IMPORT))
    assert picked(orchard, hub_name, workers)


@pytest.mark.parametrize("workers", [None, 2])
def test_one_that_imports_eventlet_and_does_not_use_it(orchard, hub_name, workers):
    """cinder, manila"""
    chosen = CHOOSING.replace("    POISON", NO_PATCHING).replace("NOVA", "CINDER")
    early = "import os\nos.environ['EVENTLET_NO_GREENDNS'] = 'yes'\nimport eventlet\n"
    orchard.write("__init__.py", early + chosen)
    assert picked(orchard, hub_name, workers)


@pytest.mark.parametrize("workers", [None, 2])
def test_one_that_patches_only_when_it_is_told_to(orchard, hub_name, workers):
    """watcher"""
    chosen = CHOOSING.replace("    POISON", "").replace("NOVA", "WATCHER")
    asked = chosen.replace('not in ("1", "true", "yes")', 'in ("0", "false", "no")')
    assert asked != chosen
    orchard.write("__init__.py", asked)
    assert picked(orchard, hub_name, workers)


class TestEventletOnly:
    """masakari, trove: they patch when they are imported, whatever anybody wants."""

    #: where the patching is, and which module is to blame
    PLACES = (
        ("__init__.py", "orchard"),
        ("orchard_picker.py", "orchard.orchard_picker"),
        ("cmd.py", "orchard.cmd"),
    )

    def eventlet_only(self, orchard, file):
        patching = "import eventlet\neventlet.monkey_patch()\n"
        source = SERVICE.replace("WORKERS", "2")
        orchard.script("orchard-picker", source)
        if file == "cmd.py":
            source = f"import orchard.cmd\n{source}"
            orchard.write("orchard_picker.py", source)
            orchard.write(file, patching)
        elif file == "__init__.py":
            orchard.write(file, patching)
        else:
            orchard.write(file, patching + source)

    @pytest.mark.parametrize(("file", "module"), PLACES)
    @pytest.mark.parametrize("hub", ["asyncio", "uvloop"])
    def test_it_is_refused_in_a_sentence_before_anything_runs(
        self, orchard, hub, file, module
    ):
        self.eventlet_only(orchard, file)
        assert orchard.refusal("run", "--hub", hub, "orchard-picker") == (
            f"hub '{hub}' cannot be used: this program knows only eventlet: {module} "
            f"imported it and patched the standard library; "
            f"set [oslo_asyncio] hub = eventlet"
        )

    def test_it_is_refused_where_it_asks_for_oslo_service(self, orchard):
        self.eventlet_only(orchard, "__init__.py")
        after = "print('imported')\ndef main(): pass\n"
        orchard.script("trowel", f"from oslo_service import service\n{after}")
        assert "knows only eventlet" in orchard.refusal("run", "trowel")

    def test_it_is_refused_before_main_if_it_asks_later(self, orchard):
        self.eventlet_only(orchard, "__init__.py")
        orchard.script("trowel", "def main(): print('main')\n")
        assert "knows only eventlet" in orchard.refusal("run", "trowel")

    @pytest.mark.parametrize(("file", "module"), PLACES)
    def test_it_runs_on_the_eventlet_hub(self, orchard, file, module):
        self.eventlet_only(orchard, file)
        said = orchard.said("run", "--hub", "eventlet", "orchard-picker")
        assert sorted(said) == [*2 * ["picked on eventlet"], *2 * ["stopped"]]

    def test_its_config_file_may_say_so(self, orchard):
        self.eventlet_only(orchard, "__init__.py")
        orchard.config("[oslo_asyncio]\nhub = eventlet\n", ".orchard/orchard.conf")
        assert "picked on eventlet" in orchard.said("run", "orchard-picker")

    def test_one_that_patches_in_main_is_refused_before_it_forks(self, orchard):
        source = SERVICE.replace("WORKERS", "2").replace(
            "main():\n", "main():\n    import eventlet\n    eventlet.monkey_patch()\n"
        )
        orchard.script("orchard-picker", source)
        sentence = orchard.refusal("run", "orchard-picker")
        assert sentence.startswith("hub 'asyncio' cannot be used: ")
        assert "eventlet" in sentence

    def test_a_service_whose_start_never_returns_is_stopped(self, orchard):
        """trove: it waits in start() for a looping call that stop() does not end."""
        self.eventlet_only(orchard, "__init__.py")
        orchard.script(
            "trowel",
            SERVICE.replace("WORKERS", "None").replace(
                "self.tg.add_timer(0.01, self.pick)",
                "pulse = loopingcall.FixedIntervalLoopingCall(self.pick)\n"
                "        pulse.start(interval=60)\n"
                "        pulse.wait()",
            ),
        )
        file = orchard.config("[DEFAULT]\ngraceful_shutdown_timeout = 2\n")
        words = ("--hub", "eventlet", "trowel", "--config-file", file)
        said = orchard.said("run", *words)
        assert said[-1] == "stopped"


def test_one_that_chooses_nothing_runs_on_each_hub(orchard, hub_name):
    assert picked(orchard, hub_name, 2)


def test_one_that_has_a_launcher_without_processes_and_signals(orchard, hub_name):
    """networking-baremetal"""
    orchard.script(
        "orchard-agent",
        """
        import sys, threading
        from oslo_config import cfg
        from oslo_service import loopingcall, service

        class Agent(service.ServiceBase):
            def start(self):
                self.times = 0
                call = loopingcall.FixedIntervalLoopingCall(self.report)
                call.start(interval=0.01)

            def report(self):
                self.times += 1
                if self.times == 3:
                    print("reported", flush=True)
                    threading.Thread(target=launcher.stop).start()
                    raise loopingcall.LoopingCallDone

            def stop(self):
                print("stopped")

            def wait(self):
                pass

            def reset(self):
                pass

        def main():
            global launcher
            cfg.CONF(sys.argv[1:])
            launcher = service.Launcher(cfg.CONF, restart_method="mutate")
            launcher.launch_service(Agent())
            launcher.wait()
        """,
    )
    said = orchard.said("run", "--hub", hub_name, "orchard-agent")
    assert said == ["reported", "stopped"]


@pytest.mark.parametrize("workers", [None, 2])
@pytest.mark.parametrize("chosen", ["", "THREADING"])
def test_one_that_serves_its_api_with_oslo_service(orchard, hub_name, workers, chosen):
    """masakari, and whoever else has a wsgi.Server in a service"""
    source = SERVICE.replace("WORKERS", str(workers)).replace("class Picker", "class _")
    choice = "from oslo_service import backend as b; b.init_backend(b.BackendType.%s)\n"
    orchard.script(
        "orchard-api",
        (choice % chosen if chosen else "")
        + source
        + """
from oslo_service import wsgi
import urllib.request

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode(), b" picked"]

class Picker(service.Service):
    def __init__(self):
        super().__init__()
        self.server = wsgi.Server(cfg.CONF, "api", app, host="127.0.0.1", port=0)

    def start(self):
        self.server.start()
        self.tg.add_thread(self.ask)

    def ask(self):
        url = f"http://127.0.0.1:{self.server.port}/pear"
        os.write(1, urllib.request.urlopen(url).read() + b"\\n")
        os.kill(PROGRAM, signal.SIGTERM)

    def stop(self):
        self.server.stop()
        super().stop()

    def wait(self):
        self.server.wait()
""",
    )
    said = orchard.said("run", "--hub", hub_name, "orchard-api")
    assert said
    assert {*said} == {"/pear picked"}


class TestRefused:
    def test_an_oslo_service_without_backends_is_too_old(self, orchard):
        info = orchard.folder / "oslo_service-4.2.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Name: oslo.service\nVersion: 4.2.1\n")
        orchard.script("orchard-picker", SERVICE.replace("WORKERS", "1"))
        assert orchard.refusal("run", "orchard-picker") == (
            "oslo.service 4.2.1 is too old: oslo-asyncio run needs 4.3.0 or "
            "newer; upgrade it, or move the program to oslo_asyncio"
        )

    @pytest.mark.parametrize(
        "version", ["4.3.0", "4.3b1", "4.10.0", "5.0.0.0rc1", "10.0"]
    )
    def test_a_newer_one_is_not(self, orchard, version):
        info = orchard.folder / f"oslo_service-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: oslo.service\nVersion: {version}\n")
        assert picked(orchard, "asyncio")

    def test_a_program_without_any_is_told_so_by_python(self, orchard):
        orchard.uninstall("oslo_service")
        orchard.script("orchard-picker", SERVICE.replace("WORKERS", "1"))
        done = orchard.call("run", "orchard-picker")
        assert done.returncode == 1
        assert done.stderr.endswith("No module named 'oslo_service'\n")

    LATE = """
    from oslo_asyncio import exceptions, hub, takeover
    STATEMENT
    hub.setup(argv=[])
    try:
        takeover.take_over()
        from oslo_service import service
        print("taken", service.Service.__module__)
    except exceptions.TakenTooLate as error:
        print(error.loaded[0])
    """

    def late(self, orchard, statement):
        orchard.write("late.py", self.LATE.replace("STATEMENT", statement))
        done = orchard.python("-m", "orchard.late")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @pytest.mark.parametrize("name", ["service", "wsgi", "loopingcall", "threadgroup"])
    def test_it_is_too_late_when_a_module_has_its_names(self, orchard, name):
        said = self.late(orchard, f"import oslo_service.{name}")
        assert said.startswith("oslo_service.")

    @pytest.mark.parametrize("name", ["THREADING", "EVENTLET"])
    def test_it_is_too_late_when_a_backend_was_chosen(self, orchard, name):
        statement = "from oslo_service import backend as b"
        said = self.late(orchard, f"{statement}; b.init_backend(b.BackendType.{name})")
        assert said.startswith("oslo_service.")

    @pytest.mark.parametrize("name", ["backend", "periodic_task", "sslutils", "opts"])
    def test_it_is_early_enough_before_that(self, orchard, name):
        said = self.late(orchard, f"import oslo_service.{name}")
        assert said == "taken oslo_asyncio.service"

    def test_a_second_call_changes_nothing(self, orchard):
        twice = "hub.setup(argv=[]); takeover.take_over(); import oslo_service.wsgi"
        assert self.late(orchard, twice) == "taken oslo_asyncio.service"


def test_a_program_on_cotyledon_is_warned_about(orchard):
    orchard.script("orchard-picker", "def main():\n    import cotyledon\n")
    done = orchard.call("run", "orchard-picker")
    assert done.returncode == 0
    assert done.stderr == (
        "This program uses cotyledon, which oslo-asyncio does not replace: its "
        "workers run as they would without\n"
    )


@pytest.mark.parametrize("name", ["THREADING", "EVENTLET"])
def test_a_program_on_oslo_service_is_not(probe, orchard, name):
    body = f"""
    from oslo_service import backend
    backend.init_backend(backend.BackendType.{name})
    from oslo_service import service
    """
    assert probe(body) == []
    assert orchard.call("run", "orchard.probe:main").stderr == ""
