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

"""``oslo-asyncio`` as an operator calls it: words in, words and a status out."""

import os
import pathlib
import subprocess
import sys
import textwrap

COMMAND = os.path.join(os.path.dirname(sys.executable), "oslo-asyncio")

METADATA = "Metadata-Version: 2.1\nName: orchard\nVersion: 1.0\n"

#: Put into a sitecustomize.py: what is not installed, whatever is.
MISSING = """
import importlib.abc, sys

class Uninstalled(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Uninstalled())
"""


class Project:
    """A package ``orchard`` with console scripts, on PYTHONPATH.

    :param folder: which holds it, and which is the home directory of all commands.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.package = folder / "orchard"
        self.package.mkdir()
        self.write("__init__.py", "")
        info = folder / "orchard-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(METADATA)
        self.entry_points = info / "entry_points.txt"
        self.entry_points.write_text("[console_scripts]\n")

    def write(self, name: str, source: str) -> pathlib.Path:
        """A file of the package."""
        path = self.package / name
        path.write_text(textwrap.dedent(source))
        return path

    def script(self, name: str, source: str) -> None:
        """A console script ``name``: its ``main()`` in a module of its own."""
        module = name.replace("-", "_")
        self.write(f"{module}.py", source)
        with self.entry_points.open("a") as file:
            file.write(f"{name} = orchard.{module}:main\n")

    def config(self, text: str, name: str = "orchard.conf") -> pathlib.Path:
        """A config file."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def uninstall(self, *names: str) -> None:
        """From now on these modules cannot be imported."""
        text = MISSING.format(names=names)
        (self.folder / "sitecustomize.py").write_text(text)

    def environment(self, measured: bool = True, **more: str) -> dict[str, str]:
        """What commands get, without the choices of those who run the tests.

        :param measured: whether a coverage tool may watch, if one watches the tests.
        """
        unwanted = ("OSLO_ASYNCIO_", "OS_", *(() if measured else ("COVERAGE",)))
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(unwanted)
        }
        return {
            **kept,
            "COLUMNS": "80",
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": str(self.folder / "cache"),  # stevedore's
            "PYTHONPATH": str(self.folder),
            "PYTHONWARNINGS": "ignore",
            **more,
        }

    def call(
        self, *words: object, measured: bool = True, **environment: str
    ) -> subprocess.CompletedProcess:
        """``oslo-asyncio WORDS``, until it has ended."""
        return self.python(COMMAND, *words, measured=measured, **environment)

    def python(
        self, *words: object, measured: bool = True, **environment: str
    ) -> subprocess.CompletedProcess:
        """``python WORDS``, until it has ended."""
        return subprocess.run(
            [sys.executable, *map(str, words)],
            cwd=self.folder,
            env=self.environment(measured, **environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def said(self, *words: object, **options: object) -> list[str]:
        """The lines that it prints; it must succeed."""
        done = self.call(*words, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def refusal(self, *words: object, **options: object) -> str:
        """The one sentence that it ends with."""
        done = self.call(*words, **options)
        assert done.returncode == 1, done.stdout + done.stderr
        assert done.stdout == ""
        [line] = done.stderr.splitlines()
        return line
