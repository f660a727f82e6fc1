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

"""``oslo-asyncio hub list``: which hubs there are, and which one is chosen."""

import argparse
from collections.abc import Iterator
import importlib.metadata

from cliff import lister

from oslo_asyncio import _choice
from oslo_asyncio import exceptions
from oslo_asyncio import hub

Row = tuple[str, str, str, str]

COLUMNS = ("Hub", "Chosen", "Available", "Package")


class HubList(lister.Lister):
    """List the installed hubs, say which one is chosen and where, and which can run.

    The hub is looked for where a service looks for it: in the environment, in the
    config files, and then it is the default. A name that is chosen and not
    installed has a row of its own.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Parser of the subcommand."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--config-file",
            metavar="FILE",
            action="append",
            default=[],
            help="a config file of the service; may be repeated, and the last one wins",
        )
        parser.add_argument(
            "--config-dir",
            metavar="DIR",
            action="append",
            default=[],
            help="a folder of config files of the service, which are read afterwards",
        )
        parser.add_argument(
            "--project",
            metavar="NAME",
            help="without the two: read the files that this project's services read, "
            "such as /etc/NAME/NAME.conf",
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[tuple[str, ...], list[Row]]:
        """The table: its head and its rows."""
        files = [f"--config-file={path}" for path in parsed_args.config_file]
        dirs = [f"--config-dir={path}" for path in parsed_args.config_dir]
        conf = _choice.read(parsed_args.project, files + dirs)
        return COLUMNS, list(rows(_choice.name(conf), _choice.place(conf)))


def rows(chosen: str, place: str) -> Iterator[Row]:
    """A row for each hub.

    :param place: where the name ``chosen`` is written.
    """
    packages = _packages()
    for name in sorted({chosen, *packages}):
        package = packages.get(name)
        yield (
            name,
            place if name == chosen else "",
            "no: not installed" if package is None else _available(name),
            package or "",
        )


def _packages() -> dict[str, str]:
    """The distribution of each installed hub."""
    found = importlib.metadata.entry_points(group=hub.NAMESPACE)
    return {
        each.name: f"{each.dist.name} {each.dist.version}" if each.dist else "-"
        for each in found
    }


def _available(name: str) -> str:
    try:
        hub.load_driver(name)
    except exceptions.HubUnavailable as error:
        return f"no: {error.reason}; {error.remedy}"
    except Exception as error:  # one hub of a stranger must not hide the others
        return f"no: {error}"
    return "yes"
