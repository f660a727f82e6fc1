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


"""What a program finds under the names of oslo.service, taken over.

Needs oslo.service in the environment: ``tox -e contract``.
"""

import importlib.util

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("oslo_service") is None,
    reason="oslo.service is not installed: run tox -e contract",
)

COMPONENTS = """
from oslo_service import backend
type_ = backend.BackendType.{name}
backend.init_backend(type_)
for name, found in sorted(backend.get_backend().get_service_components().items()):
    assert backend.get_component(name) is found
    print(name, found.__module__.partition(".")[0])
"""


def stock(code, orchard):
    """What the same code prints without us."""
    done = orchard.python("-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


class TestBackend:
    @pytest.mark.parametrize("name", ["THREADING", "EVENTLET"])
    def test_each_component_of_a_backend_is_there_and_ours(
        self, probe, orchard, hub_name, name
    ):
        code = COMPONENTS.format(name=name)
        ours = probe(code, hub_name)
        theirs = stock(code, orchard)
        assert len(theirs) == 23
        assert ours == [line.split()[0] + " oslo_asyncio" for line in theirs]

    @pytest.mark.parametrize("module", ["service", "loopingcall", "threadgroup"])
    def test_a_module_has_the_names_that_it_has_without_us(
        self, probe, orchard, module
    ):
        code = f"import oslo_service.{module} as it; print(*sorted(vars(it)))"
        assert probe(code) == stock(code, orchard)

    def test_its_names_are_the_components(self, probe, hub_name):
        body = """
        from oslo_service import backend, loopingcall, service, threadgroup
        for module in loopingcall, service, threadgroup:
            for name, found in vars(module).items():
                if name[0].isupper() and isinstance(found, type):
                    assert backend.get_component(name) is found, name
        from oslo_asyncio import service as ours
        print(service.launch is ours.launch, backend.get_backend_type())
        """
        assert probe(body, hub_name) == ["True BackendType.EVENTLET"]

    def test_without_a_choice_the_default_is_the_same_and_ours(self, probe, hub_name):
        body = """
        from oslo_service import backend
        from oslo_service.backend import base
        print(backend.get_backend_type())
        found = backend.get_backend()
        print(backend.get_backend_type(), type(found).__name__)
        print(isinstance(found, base.BaseBackend))
        """
        said = ["None", "BackendType.EVENTLET EventletBackend", "True"]
        assert probe(body, hub_name) == said

    def test_a_second_choice_is_answered_as_ever(self, probe, orchard, hub_name):
        body = """
from oslo_service import backend
from oslo_service.backend import exceptions
for name in "THREADING", "THREADING", "EVENTLET":
    try:
        backend.init_backend(backend.BackendType[name])
        print(name, backend.get_backend_type())
    except exceptions.BackendAlreadySelected as error:
        print(error)
"""
        said = probe(body, hub_name)
        assert said == stock(body, orchard)
        assert "cannot reinitialize with 'eventlet'" in said[-1]

    def test_a_hook_that_chooses_is_asked(self, probe):
        body = """
        from oslo_service import backend
        hook = lambda: backend.BackendType.THREADING
        backend.register_backend_default_hook(hook)
        from oslo_service import service
        print(backend.get_backend_type(), service.Service.__module__)
        """
        assert probe(body) == ["BackendType.THREADING oslo_asyncio.service"]

    def test_the_private_modules_that_a_project_imports_are_ours(self, probe):
        body = """
        from oslo_service.backend._threading import loopingcall  # neutron
        from oslo_service.backend._eventlet import service, threadgroup
        from oslo_service.backend import _threading
        print(loopingcall.FixedIntervalLoopingCall.__module__)
        print(service.ProcessLauncher.__module__, threadgroup.ThreadGroup.__module__)
        print(_threading.loopingcall is loopingcall)
        """
        assert probe(body) == [
            "oslo_asyncio.loopingcall",
            "oslo_asyncio.service oslo_asyncio.threadgroup",
            "True",
        ]

    @pytest.mark.parametrize(
        "name",
        [
            "backend._common.service",
            "backend._common.constants",
            "backend.base",
            "_options",
            "opts",
            "periodic_task",
            "sslutils",
            "systemd",
        ],
    )
    def test_what_is_beside_is_as_installed(self, probe, orchard, name):
        code = f"import oslo_service.{name}; print(oslo_service.{name})"
        assert probe(code) == stock(code, orchard)

    def test_what_is_not_there_is_not_there(self, probe):
        body = """
        import importlib
        for name in "backend._threading.quince", "backend._trio", "quince":
            try:
                importlib.import_module(f"oslo_service.{name}")
            except ModuleNotFoundError as error:
                print(error.name)
        """
        names = ("backend._threading.quince", "backend._trio", "quince")
        assert probe(body) == [f"oslo_service.{name}" for name in names]


class TestWsgi:
    @pytest.mark.parametrize(
        "statement",
        [
            "import oslo_service.wsgi; wsgi = oslo_service.wsgi",
            "import oslo_service.wsgi as wsgi",
            "from oslo_service import wsgi",
            "import importlib; wsgi = importlib.import_module('oslo_service.wsgi')",
            "import oslo_service, sys; from oslo_service.wsgi import Server; "
            "wsgi = oslo_service.wsgi",
        ],
    )
    def test_it_is_ours_however_it_is_imported(self, probe, statement):
        body = f"{statement}\nprint(wsgi.__name__, wsgi.Server.__module__)\n"
        assert probe(body) == ["oslo_service.wsgi oslo_asyncio.wsgi"]

    def test_it_can_be_imported_after_threads_were_chosen(self, probe):
        body = """
        from oslo_service import backend
        backend.init_backend(backend.BackendType.THREADING)
        from oslo_config import cfg
        from oslo_service import wsgi
        cfg.CONF([])
        server = wsgi.Server(cfg.CONF, "api", None, host="127.0.0.1", port=0)
        print(server.port > 0)
        """
        assert probe(body) == ["True"]

    def test_it_can_be_patched_by_its_name(self, probe):
        body = """
        from unittest import mock
        with mock.patch("oslo_service.wsgi.Server") as patched:
            from oslo_service import wsgi
            print(wsgi.Server is patched)
        print(wsgi.Server is patched)
        """
        assert probe(body) == ["True", "False"]

    def test_a_modules_own_users_see_the_patch(self, probe):
        body = """
        from unittest import mock
        from oslo_service import loopingcall
        name = "oslo_service.loopingcall.FixedIntervalLoopingCall"
        with mock.patch(name) as patched:
            print(loopingcall.FixedIntervalLoopingCall is patched)
        with mock.patch("oslo_service.loopingcall.LoopingCallBase._sleep") as patched:
            print(loopingcall.DynamicLoopingCall._sleep is patched)
        """
        assert probe(body) == ["True", "True"]


@pytest.mark.parametrize(
    "name", ["wsgi", "backend._threading", "backend._eventlet", "service"]
)
def test_a_module_can_be_reloaded(probe, hub_name, name):
    body = f"""
    import importlib
    from oslo_service import service
    it = importlib.import_module("oslo_service.{name}")
    before = dict(vars(it))
    assert importlib.reload(it) is it
    print(sorted(before) == sorted(vars(it)), it.__spec__.name)
    print(service.Service.__module__)
    """
    said = [f"True oslo_service.{name}", "oslo_asyncio.service"]
    assert probe(body, hub_name) == said


def test_who_asks_for_the_source_gets_it_or_an_ordinary_answer(probe):
    body = """
    import inspect, traceback
    from oslo_service import loopingcall, service, wsgi
    from oslo_service.backend import _threading
    print(inspect.getsource(loopingcall.RetryDecorator).partition(":")[0])
    backend = _threading.ThreadingBackend
    for it in wsgi, wsgi.Server, _threading, backend, service.Service:
        try:
            inspect.getsource(it)
        except (OSError, TypeError):  # its only two
            pass
        inspect.getmodule(it), inspect.getdoc(it), repr(it), inspect.getmembers(it)
    try:
        service.launch(None, None)
    except Exception:
        print("launch" in traceback.format_exc())
    """
    assert probe(body) == ["class RetryDecorator", "True"]


PICKLED = """
import pickle
from oslo_service import loopingcall, service, threadgroup
for module in loopingcall, service, threadgroup:
    for name, found in sorted(vars(module).items()):
        if isinstance(found, type):
            assert pickle.loads(pickle.dumps(found)) is found
            print(name)
"""


def test_classes_can_be_pickled_as_without_us(probe, orchard, hub_name):
    assert probe(PICKLED, hub_name) == stock(PICKLED, orchard)


@pytest.mark.parametrize(
    ("hub", "said"), [("asyncio", "true"), ("uvloop", "true"), ("eventlet", "false")]
)
def test_the_four_variables_say_what_the_hub_needs(probe, hub, said):
    body = """
    import os, subprocess
    for project in "CINDER", "MANILA", "NOVA", "WATCHER":
        name = f"OS_{project}_DISABLE_EVENTLET_PATCHING"
        command = ["printenv", name]
        print(os.environ[name], subprocess.check_output(command, text=True).strip())
    """
    contrary = "false" if said == "true" else "true"
    options = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": contrary}
    assert probe(body, hub, **options) == [f"{said} {said}"] * 4


@pytest.mark.parametrize("hub", ["asyncio", "uvloop"])
def test_all_of_it_imports_nothing_green(probe, hub):
    body = """
    import sys
    from oslo_service import backend
    early = "oslo_service.service", "oslo_service.wsgi", "oslo_asyncio.wsgi"
    print([name for name in early if name in sys.modules])
    backend.init_backend(backend.BackendType.THREADING)
    from oslo_service import loopingcall, opts, service, sslutils, threadgroup, wsgi
    unwanted = "eventlet", "greenlet", "futurist", "cotyledon", "oslo_messaging"
    print([name for name in unwanted if name in sys.modules])
    """
    assert probe(body, hub, measured=False) == ["[]", "[]"]


def test_stock_periodic_tasks_stay_stock_and_work(probe, hub_name):
    body = """
    import os, signal, sys
    from oslo_config import cfg
    from oslo_service import periodic_task, service

    class Manager(periodic_task.PeriodicTasks):
        @periodic_task.periodic_task(spacing=60, run_immediately=True)
        def water(self, context):
            print("watered", context)

        @periodic_task.periodic_task(spacing=60)
        def prune(self, context):
            print("pruned too early")

    class Gardener(service.Service):
        def start(self):
            manager = Manager(cfg.CONF)
            print(Manager.__mro__[1].__module__)

            def work():
                print(0 < manager.run_periodic_tasks("ctxt") <= 60, flush=True)
                os.kill(os.getpid(), signal.SIGTERM)
                return 60

            self.tg.add_dynamic_timer(work, initial_delay=0, periodic_interval_max=60)

    cfg.CONF([])
    launcher = service.launch(cfg.CONF, Gardener(), restart_method="mutate")
    sys.exit(launcher.wait())
    """
    said = ["oslo_service.periodic_task", "watered ctxt", "True"]
    assert probe(body, hub_name) == said
