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

"""A lower layer never imports an upper one, and start-up pulls in no eventlet."""

import ast
import os
import pathlib
import subprocess
import sys

import pytest

import oslo_asyncio

ROOT = pathlib.Path(oslo_asyncio.__file__).parent

LAYERS = {
    "_activation": 0,
    "_forked": 0,
    "_identity": 0,
    "_terminal": 0,
    "_wire": 0,
    "_unpatched": 0,
    "exceptions": 0,
    "_record": 0,
    "_singleton": 0,
    "systemd": 0,
    "opts": 1,
    "_choice": 1,
    "_listen": 1,
    "_wsgi_options": 1,
    "sslutils": 1,
    "_options": 1,
    "_plugins": 1,
    "_anywhere": 2,
    "_bridge": 2,
    "_call": 2,
    "_clock": 2,
    "_completions": 2,
    "_outcome": 2,
    "_park": 2,
    "_pool": 2,
    "_strand": 2,
    "_synctask": 2,
    "executor": 2,
    "hub": 2,
    "resolver": 2,
    "_hubs": 2,
    "_resolvers": 2,
    "backend": 3,
    "_ending": 3,
    "_looping": 3,
    "_member": 3,
    "loopingcall": 3,
    "threadgroup": 3,
    "_either": 3,
    "_processes": 3,
    "_tasks": 3,
    "periodic_task": 3,
    "_supervisor": 4,
    "_worker": 4,
    "_launcher": 5,
    "_process_launcher": 5,
    "_service_launcher": 5,
    "_service": 5,
    "_wsgi": 5,
    "wsgi": 5,
    "_services": 5,
    "_signal_handler": 5,
    "service": 5,
    "_messaging": 5,
    "messaging": 5,
    "_takeover": 5,
    "takeover": 5,
    "cmd": 6,
    "_fake_clock": 6,
    "fixture": 6,
}
PLUGINS = ("_hubs", "_resolvers")
FOREIGN = (
    "eventlet",
    "greenlet",
    "uvloop",
    "futurist",
    "oslo_messaging",
    "oslo_service",
)


MODULES = [
    path.relative_to(ROOT)
    for path in sorted(ROOT.rglob("*.py"))
    if "tests" not in path.relative_to(ROOT).parts and path.name != "__init__.py"
]


def imports(relative):
    """What a module imports: dotted names, ours without the package's name."""
    for node in ast.walk(ast.parse((ROOT / relative).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def printed(code):
    """What a fresh interpreter prints, which no coverage tool has imported into."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def top(name):
    return name.removesuffix(".py")


@pytest.mark.parametrize("relative", MODULES, ids=str)
def test_a_module_imports_its_own_layer_or_those_below(relative):
    own = LAYERS[top(relative.parts[0])]
    for name in imports(relative):
        if name.startswith("oslo_asyncio."):
            assert LAYERS[name.split(".")[1]] <= own, f"{relative} imports {name}"


@pytest.mark.parametrize("relative", MODULES, ids=str)
def test_nobody_but_stevedore_imports_a_plugin(relative):
    if relative.parts[0] in PLUGINS:
        return
    for name in imports(relative):
        parts = name.split(".")
        assert not (parts[0] == "oslo_asyncio" and parts[1] in PLUGINS), name
        assert parts[0] not in FOREIGN, f"{relative} imports {name}"


@pytest.mark.parametrize("relative", MODULES, ids=str)
def test_nothing_above_the_hubs_names_a_hub(relative):
    if relative.parts[0] in PLUGINS or relative.name == "opts.py":
        return
    for node in ast.walk(ast.parse((ROOT / relative).read_text())):
        if isinstance(node, ast.Compare):
            for operand in (node.left, *node.comparators):
                if isinstance(operand, ast.Constant):
                    assert operand.value not in ("asyncio", "uvloop", "eventlet")


@pytest.mark.parametrize(
    "name",
    [
        "hub",
        "service",
        "executor",
        "resolver",
        "opts",
        "systemd",
        "loopingcall",
        "threadgroup",
        "sslutils",
        "wsgi",
        "takeover",
        "messaging",
        "cmd.main",
    ],
)
def test_importing_a_module_pulls_in_nothing_of_the_green_world(name):
    code = (
        f"import sys, oslo_asyncio.{name}; "
        f"print([m for m in {FOREIGN!r} if m in sys.modules])"
    )
    assert printed(code) == "[]\n"


def test_importing_service_imports_little_more_than_its_three_dependencies():
    def loaded(statement):
        return set(printed(f"{statement}\nimport sys; print(*sys.modules)").split())

    base = loaded("import oslo_config.cfg, stevedore, asyncio")
    more = loaded("import oslo_asyncio.service") - base
    assert {name for name in more if not name.startswith("oslo_asyncio")} <= {
        # each costs under half a millisecond
        "faulthandler",
        "gc",
        "oslo_config.types",
        "stevedore.named",
    }
