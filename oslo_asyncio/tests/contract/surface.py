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


"""Print as JSON what a package offers: ``python -P surface.py PACKAGE [BACKEND]``.

A program of its own, since oslo.service can have one backend in a process, and
loads eventlet.
"""

import ast
import builtins
from collections.abc import Iterator
import importlib
import inspect
import json
import logging
import sys
import textwrap
import types
from typing import Any

MODULES = (
    "_options",
    "fixture",
    "loopingcall",
    "opts",
    "periodic_task",
    "service",
    "sslutils",
    "systemd",
    "threadgroup",
    "wsgi",
)

#: Private names, and projects use them all the same.
USED = {
    "_options.service_opts",  # nova, masakari
    "loopingcall.LoopingCallBase._sleep",  # patched by the projects' tests
    "threadgroup.ThreadGroup._lock",  # heat
    "wsgi.Server._set_socket_opts",  # overridden
}

#: Where a program chooses a backend. Other modules import names from there.
CHOICE = ("backend", "backend.exceptions")

KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "either",
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "**",
}

BUILTINS = {
    each: each.__name__ for each in vars(builtins).values() if isinstance(each, type)
}

Entry = dict[str, Any]


def is_public(module: str, name: str) -> bool:
    full = f"{module}.{name}"
    if any(full == used or full.startswith(f"{used}.") for used in USED):
        return True
    last = name.rpartition(".")[2]
    return module != "_options" and (not last.startswith("_") or last == "__call__")


def text_of(value: Any) -> str:
    """Equal values have equal texts, without addresses."""
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)


def parameters(function: Any, bound: bool) -> list[list[str | None]] | None:
    """Name, kind and default of each, without ``self``."""
    try:
        found = [*inspect.signature(function).parameters.values()][bound:]
    except (TypeError, ValueError):
        return None
    return [
        [
            each.name,
            KINDS[each.kind],
            None if each.default is each.empty else text_of(each.default),
        ]
        for each in found
    ]


def call(function: Any, bound: bool) -> Entry:
    return {
        "kind": "call",
        "parameters": parameters(function, bound),
        "async": inspect.iscoroutinefunction(function),
    }


def option(each: Any) -> Entry:
    return {
        "kind": "option",
        "value": f"{type(each.type).__name__} {each.default!r}",
    }


def listed_options(list_opts: Any) -> Iterator[tuple[str, Entry]]:
    for group, options in list_opts():
        for each in options:
            yield f"[{group or 'DEFAULT'}] {each.dest}", option(each)


def assigned(cls: type) -> Iterator[str]:
    """The attributes that the methods of a class assign to ``self``."""
    for method in vars(cls).values():
        if not inspect.isfunction(method):
            continue
        # of the function: a class may claim to be of another module
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(method)))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.ctx, ast.Store)
                and isinstance(node.value, ast.Name)
                and node.value.id == "self"
            ):
                yield node.attr


def members(cls: type, package: str) -> Iterator[tuple[str, Entry]]:
    own = [each for each in cls.__mro__ if each.__module__.startswith(package)]
    for owner in reversed(own):
        for name in (*assigned(owner), *inspect.get_annotations(owner)):
            yield name, {"kind": "attribute"}
        for name in vars(owner):
            found = inspect.getattr_static(cls, name)
            if isinstance(found, (staticmethod, classmethod)):
                yield name, call(found.__func__, isinstance(found, classmethod))
            elif inspect.isroutine(found):
                yield name, call(found, True)
            else:
                yield name, {"kind": "attribute"}


def described_class(cls: type, package: str, public: dict[type, str]) -> Entry:
    own = [each for each in cls.__mro__ if each.__module__.startswith(package)]
    made_here = any("__init__" in vars(each) for each in own)
    named = {**BUILTINS, **public}
    return {
        "kind": "class",
        "parameters": parameters(cls.__init__, True) if made_here else None,
        "bases": sorted({named[each] for each in cls.__mro__[1:] if each in named}),
    }


def belongs(value: Any, package: str) -> bool:
    """Whether the package made this, and did not merely import it."""
    if isinstance(value, (types.ModuleType, logging.Logger)):
        return False
    where = getattr(value, "__module__", None)
    if where is None:
        return True
    top, _, rest = where.partition(".")
    return bool(top == package and rest not in CHOICE)


def names(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    package = module.__name__.partition(".")[0]
    # a module may make the last of its names when somebody asks for them
    for name in dict.fromkeys((*vars(module), *getattr(module, "__all__", ()))):
        value = getattr(module, name)
        if belongs(value, package):
            yield name, value


def described(
    name: str, value: Any, package: str, public: dict[type, str]
) -> Iterator[tuple[str, Entry]]:
    if isinstance(value, type):
        yield name, described_class(value, package, public)
        for member, entry in members(value, package):
            yield f"{name}.{member}", entry
    elif callable(value):
        yield name, call(value, False)
        if name == "list_opts":
            yield from listed_options(value)
    elif isinstance(value, list) and all(hasattr(each, "dest") for each in value):
        yield name, {"kind": "value"}
        for each in value:
            yield f"{name}.{each.dest}", option(each)
    else:
        yield name, {"kind": "value", "value": text_of(value)}


def surface(package: str) -> dict[str, dict[str, Entry]]:
    found = {}
    for module in MODULES:
        try:
            found[module] = importlib.import_module(f"{package}.{module}")
        except ModuleNotFoundError as error:
            if error.name != f"{package}.{module}":
                raise
    public = {
        value: name
        for module in found.values()
        for name, value in names(module)
        if isinstance(value, type) and not name.startswith("_")
    }
    return {
        short: {
            full: entry
            for name, value in names(module)
            for full, entry in described(name, value, package, public)
            if is_public(short, full)
        }
        for short, module in found.items()
    }


def main(package: str, backend: str = "") -> None:
    if backend:
        chosen = importlib.import_module(f"{package}.backend")
        chosen.init_backend(chosen.BackendType(backend))
    json.dump(surface(package), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
