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

"""Who is compared, and what each of them does not have at all."""

import dataclasses
import importlib.metadata
import importlib.util


@dataclasses.dataclass(frozen=True)
class Contender:
    """One launcher, on one of its backends.

    :param name: for the table and for ``--only``.
    :param program: the module in ``contenders`` that runs the service.
    :param needs: modules without which it is not installed.
    :param distributions: whose versions the report names.
    :param environment: variables that the program gets.
    :param lacks: rows of the table that are about something that it does not
        have, with the reason in a few words.
    """

    name: str
    program: str
    needs: tuple[str, ...]
    distributions: tuple[str, ...]
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    lacks: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """The modules that cannot be imported, as far as can be seen."""
        return [name for name in self.needs if not _exists(name)]

    @property
    def version(self) -> str:
        """What exactly has been compared."""
        return ", ".join(map(_version, self.distributions))


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False  # not even its package is there


def _version(distribution: str) -> str:
    try:
        return f"{distribution} {importlib.metadata.version(distribution)}"
    except importlib.metadata.PackageNotFoundError:
        return distribution


_NO_HEARTBEAT = {"22": "does not watch its workers"}
_NOT_GREEN = {"57": "patches nothing"}


def _ours(hub: str, program: str, *needs: str, **lacks: str) -> Contender:
    return Contender(
        f"ours-{hub}",
        program,
        ("oslo_asyncio", "oslo_config", *needs),
        ("oslo.asyncio", *needs),
        {"OSLO_ASYNCIO_HUB": hub},
        lacks,
    )


ROSTER = (
    _ours("asyncio", "oslo_asyncio_async", **_NOT_GREEN),
    _ours("uvloop", "oslo_asyncio_async", "uvloop", **_NOT_GREEN),
    _ours("eventlet", "oslo_asyncio_green", "eventlet"),
    Contender(
        "oslo-threading",
        "oslo_service_threading",
        ("oslo_service", "cotyledon"),
        ("oslo.service", "cotyledon"),
        lacks=_NOT_GREEN | _NO_HEARTBEAT,
    ),
    Contender(
        "oslo-eventlet",
        "oslo_service_eventlet",
        ("oslo_service", "eventlet"),
        ("oslo.service", "eventlet"),
        lacks=_NO_HEARTBEAT,
    ),
    Contender(
        "cotyledon",
        "cotyledon",
        ("cotyledon", "oslo_config"),
        ("cotyledon",),
        lacks=_NOT_GREEN | _NO_HEARTBEAT | {"32": "always forks"},
    ),
)
