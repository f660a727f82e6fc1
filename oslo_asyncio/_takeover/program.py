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

"""The program that is to be run, as the command line names it."""

from collections.abc import Callable
import dataclasses
import difflib
import gc
import importlib
import importlib.metadata
import os
import runpy
import shutil
import sys
import types
from typing import Any

from oslo_asyncio import exceptions
from oslo_asyncio._takeover import interpreter

_GROUP = "console_scripts"


@dataclasses.dataclass(frozen=True)
class Program:
    """What to run.

    :ivar path: for ``sys.argv[0]``.
    :ivar package: the top-level package of its code, if it is known: what
        OpenStack's programs call their project, and name config files after.
    :ivar load: imports the program, and returns what runs it.
    """

    path: str
    package: str | None
    load: Callable[[], Callable[[], Any]]

    @property
    def name(self) -> str:
        """As ``ps`` shows it."""
        return os.path.basename(self.path)

    def load_for_good(self) -> Callable[[], Any]:
        """Call :attr:`load` without looking for garbage, now and later.

        What is imported stays.  Of 186 000 objects of designate-central 480 were
        garbage, and to look through all of them again and again took a sixth of
        its start, as did the look before the first fork.
        """
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            loaded = self.load()
            gc.freeze()
        finally:
            if was_enabled:
                gc.enable()
        return loaded


def find(command: str) -> Program:
    """The program that ``command`` means.

    :param command: the name of a console script of this Python environment, the
        path of a script, or ``module:function``.
    :raises CommandNotFound: it is none of these.
    :raises CommandUnusable: it is a file that this interpreter cannot run.
    """
    if os.sep in command:
        return _script(command)
    module, colon, function = command.partition(":")
    if colon:
        return _function(command, module, function)
    script = _entry_point(command)
    found = _beside_python(command) or shutil.which(command)
    if script is not None:
        return Program(found or command, _top(script.module), script.load)
    if found is None and not os.path.isfile(command):
        names = importlib.metadata.entry_points(group=_GROUP).names
        raise exceptions.CommandNotFound(
            command, difflib.get_close_matches(command, names)
        )
    return _script(found or command)


def _entry_point(name: str) -> importlib.metadata.EntryPoint | None:
    return next(iter(importlib.metadata.entry_points(group=_GROUP, name=name)), None)


def _beside_python(name: str) -> str | None:
    return shutil.which(name, path=os.path.dirname(sys.executable))


def _top(module: str) -> str:
    return module.partition(".")[0]


def _function(command: str, module: str, function: str) -> Program:
    def load() -> Callable[[], Any]:
        try:
            imported = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise  # the module is there, and what it imports is not
            raise exceptions.CommandNotFound(command) from None
        return _attribute(command, imported, function)

    if not (module and function):
        raise exceptions.CommandNotFound(command)
    return Program(command, _top(module), load)


def _attribute(
    command: str, module: types.ModuleType, function: str
) -> Callable[[], Any]:
    found: Any = module
    parts = function.split(".")
    for index, part in enumerate(parts):
        if not hasattr(found, part):
            start = f"{module.__name__}:{'.'.join([*parts[:index], ''])}"
            similar = difflib.get_close_matches(part, dir(found))
            raise exceptions.CommandNotFound(command, [start + it for it in similar])
        found = getattr(found, part)
    if not callable(found):
        raise exceptions.CommandUnusable(command, "it is no function")
    run: Callable[[], Any] = found
    return run


def _script(path: str) -> Program:
    if not os.path.isfile(path):
        raise exceptions.CommandNotFound(path)
    interpreter.check(path)
    script = _entry_point(os.path.basename(path))

    def run() -> None:
        if not sys.flags.safe_path:  # where python itself looks for modules first
            sys.path[0] = os.path.dirname(os.path.realpath(path))
        runpy.run_path(path, run_name="__main__")

    return Program(path, _top(script.module) if script else None, lambda: run)
