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

"""Whose Python a script is written for."""

import os
import re
import sys

from oslo_asyncio import exceptions


def check(path: str) -> None:
    """Refuse a script that this interpreter should not run.

    :raises CommandUnusable: it is another language's, or another environment's.
    """
    named = _named(path)
    if os.path.isabs(named) and not _is_ours(named):
        raise exceptions.CommandUnusable(
            path,
            f"it belongs to {named}, and oslo-asyncio to {sys.executable}; "
            f"install oslo.asyncio there",
        )


def _named(path: str) -> str:
    """The interpreter that the script asks for; "" where it does not say."""
    first, second = _beginning(path)
    if not first.startswith("#!"):
        if path.endswith(".py"):
            return ""
        raise exceptions.CommandUnusable(path, "it is no Python script")
    words = first[2:].split()
    if second.startswith("'''exec' "):
        # how pip writes what is too long for a kernel, or has a space in it
        command = second.removeprefix("'''exec' ").partition(' "$0"')[0]
        words = [command.strip('"')]
    for word in words:
        if "python" in os.path.basename(word):
            return word
    raise exceptions.CommandUnusable(path, "it is no Python script")


def _beginning(path: str) -> tuple[str, str]:
    try:
        with open(path, "rb") as file:
            lines = file.readline(4096), file.readline(4096)
    except OSError as error:
        raise exceptions.CommandUnusable(path, error.strerror or "") from None
    return lines[0].decode(errors="replace"), lines[1].decode(errors="replace")


def _is_ours(interpreter: str) -> bool:
    # not the files: in a virtual environment all of them lead to one python
    here = os.path.dirname(os.path.abspath(sys.executable))
    there = os.path.dirname(os.path.abspath(interpreter))
    version = re.search(r"(\d+)\.(\d+)$", os.path.realpath(interpreter))
    return os.path.realpath(here) == os.path.realpath(there) and (
        version is None or tuple(map(int, version.groups())) == sys.version_info[:2]
    )
