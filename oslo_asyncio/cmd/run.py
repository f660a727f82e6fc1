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

"""``oslo-asyncio run``: a service on this library, not a line of it changed."""

import argparse
from collections.abc import Sequence

from oslo_asyncio import takeover


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``run``, for whichever parser."""
    parser.usage = f"{parser.prog} [--hub NAME] COMMAND [ARGS...]"
    parser.add_argument(
        "--hub",
        metavar="NAME",
        help="the hub to run on, whatever [oslo_asyncio] hub in the service's config "
        "file says; see 'oslo-asyncio hub list'",
    )
    parser.add_argument(
        "command",
        metavar="COMMAND",
        help="a console script of this Python environment, such as nova-conductor; "
        "the path of a script; or module:function",
    )
    rest = parser.add_argument(
        "args",
        metavar="ARGS",
        nargs=argparse.REMAINDER,
        help="the command line of the service",
    )
    rest.required = False  # or it is said to be missing where COMMAND is


def parser() -> argparse.ArgumentParser:
    """The parser of ``run`` alone."""
    made = argparse.ArgumentParser(
        prog="oslo-asyncio run",
        description="Run an OpenStack service on oslo.asyncio, with the hub from its "
        "own config file. Its signals and its exit status are its own.",
        allow_abbrev=False,
    )
    add_arguments(made)
    return made


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line behind ``run``; what follows COMMAND is not looked at.

    argparse alone would take a ``--`` away that is meant for the service.
    """
    end = _command(words) + 1
    parsed = parser().parse_args(words[:end])
    parsed.args = list(words[end:])
    return parsed


def _command(words: Sequence[str]) -> int:
    """Where COMMAND is: the first word that is no option of ours."""
    index = 0
    while index < len(words) and words[index].startswith("-"):
        if words[index] == "--":
            return index + 1
        index += 2 if words[index] == "--hub" else 1
    return index


def execute(arguments: argparse.Namespace) -> object:
    """Run the service; returns what it would give to ``sys.exit()``."""
    return takeover.run(arguments.command, arguments.args, arguments.hub)
