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

"""The subcommands, on cliff: completion, help, and ``-f json|table|yaml``."""

import argparse
import importlib.metadata

from cliff import app
from cliff import command
from cliff import commandmanager

from oslo_asyncio.cmd import run


class OsloAsyncio(app.App):
    """The command line of oslo.asyncio."""

    NAME = "oslo-asyncio"

    def __init__(self) -> None:
        super().__init__(
            description="Services on asyncio or eventlet, chosen in the config file",
            version=importlib.metadata.version("oslo.asyncio"),
            command_manager=commandmanager.CommandManager("oslo_asyncio.commands"),
            deferred_help=True,
        )

    def interact(self) -> None:
        """Without a subcommand: say which there are; there is no shell."""
        self.run_subcommand(["help"])


class Run(command.Command):
    """Run an OpenStack service on oslo.asyncio, with the hub from its own config file.

    Its signals and its exit status are its own.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Parser of the subcommand, for its help: see :mod:`oslo_asyncio.cmd.main`."""
        parser = super().get_parser(prog_name)
        run.add_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Refuse options that stand before ``run``: they are cliff's.

        They are about its logging, and a service has its own.
        """
        raise SystemExit("oslo-asyncio: write run first: oslo-asyncio run COMMAND")
