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

"""Which worker this process is."""

import os
import sys

_worker_id: int | None = None


def worker_id() -> int | None:
    """The number of this worker.

    Workers of one launcher are numbered from 0, whatever services they run.  A
    worker that is replaced hands its number on; during a reload the old and the
    new process have the same for a moment.  A service in one process is 0.  The
    environment variable ``OSLO_ASYNCIO_WORKER_ID`` says the same to
    subprocesses.

    :returns: None where no service runs, as in the parent of the workers.

    >>> import oslo_asyncio
    >>> oslo_asyncio.worker_id() is None
    True
    """
    return _worker_id


def become(number: int, service: str) -> None:
    """From now on this process is worker ``number`` and runs ``service``."""
    global _worker_id
    _worker_id = number
    os.environ["OSLO_ASYNCIO_WORKER_ID"] = str(number)
    os.environ["OSLO_ASYNCIO_WORKER_SERVICE"] = service


def resign() -> None:
    """It is nobody any more: a launcher has ended, and its process goes on."""
    global _worker_id
    _worker_id = None
    os.environ.pop("OSLO_ASYNCIO_WORKER_ID", None)
    os.environ.pop("OSLO_ASYNCIO_WORKER_SERVICE", None)


_name: str | None = None


def set_name(name: str) -> None:
    """Be ``name`` in top, and for ``ps -C`` and ``pkill``: its first 15 characters.

    As if the program had been run by a kernel and not by an interpreter.
    """
    global _name
    _name = name
    try:
        with open("/proc/self/comm", "w") as file:
            file.write(name)
    except OSError:
        pass  # no /proc here


def set_title(text: str) -> None:
    """Show ``text`` in ``ps -f``, if the extra ``setproctitle`` is installed."""
    try:
        import setproctitle
    except ImportError:
        return
    setproctitle.setproctitle(text)
    if _name is not None:  # of which it has made the first 15 characters of text
        set_name(_name)


def program(otherwise: str) -> str:
    """The name of the program that runs in this process.

    :param otherwise: its name if it has been run without a file of its own.
    """
    name = os.path.basename(sys.argv[0]).removesuffix(".py") if sys.argv else ""
    return otherwise if name in ("", "-c", "-m", "-", "__main__") else name
