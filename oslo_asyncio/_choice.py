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

"""Which hub is chosen, and where that is written."""

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
import os
import sys

from oslo_config import cfg
from oslo_config import iniparser

from oslo_asyncio import exceptions
from oslo_asyncio import opts

ENVIRONMENT = "OSLO_ASYNCIO_HUB"


def read(project: str | None, argv: Sequence[str] | None) -> cfg.ConfigOpts:
    """The config files of a program, and in them our one option.

    :param project: as in ``cfg.CONF(project=...)``.
    :param argv: the command line without the program; None: ``sys.argv[1:]``.
    :raises InvalidConfigFile: a file is missing or cannot be parsed.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-file", action="append", default=[])
    parser.add_argument("--config-dir", action="append", default=[])
    # the rest of the command line is the application's business
    known, _rest = parser.parse_known_args(sys.argv[1:] if argv is None else list(argv))
    files = [part for path in known.config_file for part in ("--config-file", path)]
    dirs = [part for path in known.config_dir for part in ("--config-dir", path)]
    conf = cfg.ConfigOpts()
    conf.register_opt(opts.hub_opt, group=opts.GROUP)
    try:
        conf(files + dirs, project=project)
    except cfg.Error as error:
        raise exceptions.InvalidConfigFile(error) from None
    return conf


def name(conf: cfg.ConfigOpts) -> str:
    """The name of the hub: from the environment, or else from ``conf``."""
    chosen: str = os.environ.get(ENVIRONMENT) or conf[opts.GROUP].hub
    return chosen


def source(conf: cfg.ConfigOpts) -> str:
    """What to set for another hub, in the words of an error."""
    written = place(conf)
    if written.startswith("environment "):
        return f"the environment variable {written.partition(' ')[2]}"
    return f"[{opts.GROUP}] hub" + (f" in {written}" if written != "default" else "")


def place(conf: cfg.ConfigOpts) -> str:
    """Where the name is written: ``FILE line N``, ``environment X``, ``default``.

    oslo.config knows the file and not the line, so the file is read again.
    """
    if os.environ.get(ENVIRONMENT):
        return f"environment {ENVIRONMENT}"
    found = conf.get_location(opts.hub_opt.name, opts.GROUP)
    if found is None or not found.location.is_user_controlled:
        return "default"
    if found.location is cfg.Locations.environment:
        return f"environment {found.detail}"
    if not found.detail:  # [OSLO_ASYNCIO] counts as well, and hides its file
        return "the config files"
    try:
        with open(found.detail, encoding="utf-8") as file:
            number = line(file)
    except (OSError, UnicodeDecodeError):
        number = None  # it was there a moment ago
    return f"{found.detail} line {number}" if number else found.detail


def line(lines: Iterable[str]) -> int | None:
    """The number, from 1, of the line of a config file that decides, if one does."""
    finder = _Finder()
    try:
        finder.parse(lines)
    except iniparser.ParseError:
        pass  # who reads the file says so
    return finder.number


class _Finder(iniparser.BaseParser):
    """oslo.config's own reading of a file: the last assignment counts."""

    def __init__(self) -> None:
        self._section = ""
        self.number: int | None = None

    def _split_key_value(self, line: str) -> tuple[str, list[str]]:
        # not in assignment(), which comes when the next line was read as well
        key, value = super()._split_key_value(line)
        if (self._section, key) == (opts.GROUP, opts.hub_opt.name):
            self.number = self.lineno
        return key, value

    def new_section(self, section: str) -> None:
        self._section = section

    def assignment(self, key: str, value: list[str]) -> None:
        pass
