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

"""Plug-ins by the names of their entry points."""

from collections.abc import Callable
import importlib.metadata
from typing import Any

from stevedore import named


def installed(namespace: str) -> list[str]:
    """The names in a group of entry points, without loading any of them."""
    return sorted({ep.name for ep in importlib.metadata.entry_points(group=namespace)})


def load(
    namespace: str,
    name: str,
    missing: Callable[[], Exception],
    broken: Callable[[BaseException], Exception],
) -> Any:
    """What the entry point ``name`` refers to.

    :param missing: makes the error for a name that is not installed.
    :param broken: makes the error for one that cannot be imported.
    """

    def refuse(_manager: object, _entry_point: object, error: BaseException) -> None:
        raise broken(error) from error

    def absent(_names: object) -> None:
        raise missing()

    # Not a DriverManager, which drops the second callback (stevedore 5.10) and
    # logs "Could not load ..." before the error that says more.
    found: named.NamedExtensionManager[Any] = named.NamedExtensionManager(
        namespace,
        [name],
        on_load_failure_callback=refuse,
        on_missing_entrypoints_callback=absent,
    )
    return found[name].plugin


def package(namespace: str, name: str) -> str:
    """What to install for a plug-in: the extra of the package that brings it."""
    for found in importlib.metadata.distributions():
        for entry_point in found.entry_points:
            if (entry_point.group, entry_point.name) == (namespace, name):
                extras = found.metadata.get_all("Provides-Extra") or ()
                return f"{found.name}[{name}]" if name in extras else found.name
    return name
