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

"""The command ``oslo-asyncio``."""

from collections.abc import Sequence
import sys

from oslo_asyncio import exceptions
from oslo_asyncio.cmd import run


def main(argv: Sequence[str] | None = None) -> object:
    """Run a subcommand; returns what ``sys.exit()`` should be called with.

    ``run`` does without cliff, which costs as much to import as a third of a
    service's start, and which a service has no use for.

    :param argv: the command line without the program; default ``sys.argv[1:]``.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["run"]:
        return run.execute(run.parse(words[1:]))
    try:
        from oslo_asyncio.cmd import app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "cliff":
            raise
        return str(exceptions.LibraryMissing("oslo-asyncio", "cli", error))
    return app.OsloAsyncio().run(words)
