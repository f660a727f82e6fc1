# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Import this library as ``oslo_service``, and oslo.service's tests as they are."""

from collections.abc import Sequence
import enum
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import pathlib
import sys
import types
from typing import Any

THEIRS = "oslo_service"
OURS = "oslo_asyncio"
VERSION = "4.8."


class BackendType(enum.Enum):
    """oslo.service's two backends, of which we are neither."""

    EVENTLET = "eventlet"
    THREADING = "threading"


class BackendAlreadySelected(Exception):
    pass


class UnsupportedBackendError(Exception):
    pass


#: Modules that its tests import and we do not have, with the names that they
#: take from them while they are imported or set up.
STAND_INS: dict[str, dict[str, Any]] = {
    "backend": {
        "BackendType": BackendType,
        "_reset_backend": lambda: None,
        "init_backend": lambda _type: None,
    },
    "backend.exceptions": {
        "BackendAlreadySelected": BackendAlreadySelected,
        "UnsupportedBackendError": UnsupportedBackendError,
    },
    "_multiprocessing": {},
    "eventlet_backdoor": {"initialize_if_enabled": lambda _conf: None},
}


class Existing(importlib.abc.Loader):
    """Loads what is there already, under one more name."""

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return self._module

    def exec_module(self, module: types.ModuleType) -> None:
        module.__spec__ = self._spec  # which the import has just replaced


class Alias(importlib.abc.MetaPathFinder):
    """Answers ``oslo_service`` with ours, and its tests with its own files.

    :param installed: the folder of the real package, which is never imported.
    """

    def __init__(self, installed: pathlib.Path) -> None:
        self._installed = installed

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != THEIRS or name.startswith("tests."):
            return None
        if name == "tests":
            where = [str(self._installed)]
            return importlib.machinery.PathFinder.find_spec(fullname, where)
        module = self._stand_in(name) or self._ours(name)
        if module is None:
            return None
        return importlib.util.spec_from_loader(
            fullname, Existing(module), is_package=hasattr(module, "__path__")
        )

    def _ours(self, name: str) -> types.ModuleType | None:
        wanted = f"{OURS}.{name}" if name else OURS
        try:
            return importlib.import_module(wanted)
        except ModuleNotFoundError as error:
            if error.name != wanted:
                raise
            return None

    def _stand_in(self, name: str) -> types.ModuleType | None:
        if name not in STAND_INS:
            return None
        module = types.ModuleType(f"{THEIRS}.{name}", "A stand-in for the tests.")
        vars(module).update(STAND_INS[name])
        if any(other.startswith(f"{name}.") for other in STAND_INS):
            module.__path__ = []
        return module


def installed() -> pathlib.Path:
    """The folder of the package whose tests are run."""
    distribution = importlib.metadata.distribution("oslo.service")
    if not distribution.version.startswith(VERSION):
        sys.exit(f"oslo.service {VERSION}* is needed, not {distribution.version}")
    return pathlib.Path(str(distribution.locate_file(THEIRS)))
