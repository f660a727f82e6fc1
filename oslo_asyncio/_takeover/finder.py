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

"""Modules that are made here when a program imports them.

The import system asks a finder, and gets a module with a complete spec: its
parent package has it as an attribute, ``importlib.reload`` finds it again, and
nothing is imported before the program does it.
"""

from collections.abc import Callable
from collections.abc import Sequence
import importlib.abc
import importlib.machinery
import importlib.util
import types

#: Puts the contents into a new module.
Fill = Callable[[types.ModuleType], None]


class Finder(importlib.abc.MetaPathFinder):
    """Finds what was registered with it; everything else others find."""

    def __init__(self) -> None:
        self._instead: dict[str, Fill] = {}
        self._before: dict[str, Callable[[], None]] = {}
        self._after: dict[str, Fill] = {}

    def instead(self, name: str, fill: Fill) -> None:
        """``fill`` a new module ``name`` in place of the installed one."""
        self._instead[name] = fill

    def before(self, name: str, call: Callable[[], None]) -> None:
        """``call()`` when ``name`` is about to be imported."""
        self._before[name] = call

    def after(self, name: str, call: Fill) -> None:
        """``call(module)`` when the installed ``name`` has been imported."""
        self._after[name] = call

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer the import system; None: look elsewhere."""
        if fullname in self._before:
            self._before[fullname]()
        if fullname in self._instead:
            return _replaced(fullname, path, self._instead[fullname])
        if fullname in self._after:
            return _followed(fullname, path, self._after[fullname])
        return None


class _Filled(importlib.abc.Loader):
    def __init__(self, fill: Fill) -> None:
        self._fill = fill

    def exec_module(self, module: types.ModuleType) -> None:
        self._fill(module)


class _Followed(importlib.abc.Loader):
    """Another loader, and a call when it has done its work."""

    def __init__(self, loader: importlib.abc.Loader, call: Fill) -> None:
        self._loader = loader
        self._call = call

    def create_module(
        self, spec: importlib.machinery.ModuleSpec
    ) -> types.ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        self._loader.exec_module(module)
        self._call(module)

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)  # get_source and others, for tracebacks


def _replaced(
    name: str, path: Sequence[str] | None, fill: Fill
) -> importlib.machinery.ModuleSpec | None:
    real = importlib.machinery.PathFinder.find_spec(name, path)
    if real is None:
        return None  # not in this version, and so nobody asks for it
    spec = importlib.util.spec_from_loader(name, _Filled(fill), origin=real.origin)
    assert spec is not None
    # what we do not stand in for is still found beside it
    spec.submodule_search_locations = real.submodule_search_locations
    return spec


def _followed(
    name: str, path: Sequence[str] | None, call: Fill
) -> importlib.machinery.ModuleSpec | None:
    spec = importlib.machinery.PathFinder.find_spec(name, path)
    if spec is not None and spec.loader is not None:
        spec.loader = _Followed(spec.loader, call)
    return spec
