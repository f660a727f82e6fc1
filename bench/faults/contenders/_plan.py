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

"""How a service is to behave, and how it tells what happens to it.

The runner passes the plan in the environment.  A program imports this module
after eventlet has patched the standard library, if it ever does.
"""

import concurrent.futures
import ctypes
import dataclasses
import json
import logging
import os
import posix
import signal
import socket
import subprocess
import time
from typing import Any

VARIABLE = "FAULTS_PLAN"

#: longer than any scenario waits
FOR_EVER = 600


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a scenario asks of the program.

    :param events: the file descriptor for events.
    :param config: path of the config file.
    :param workers: how many processes.
    :param method: "reload" or "mutate", what SIGHUP means.
    :param no_fork: run the service in the launcher's own process.
    :param start_seconds: how long start() takes.
    :param stop_seconds: how long stop() works on after it has closed its
        listener and answered everybody.
    :param stop_hangs: stop() calls C code that never returns nor gives up the
        interpreter's lock.
    :param usr1_hangs: so does the application's handler of SIGUSR1.
    :param crash_while: start() raises while a file with this name exists.
    :param close_listener: stop() closes the listener for good, as in a service
        that is never restarted in place.
    :param looping: the launcher's process runs a looping call of its library,
        or a thread of a pool if it has none.
    :param occupied: a thread of a standard pool is stuck in each process.
    :param stranger: the application starts a process of its own.
    """

    events: int = -1
    config: str = ""
    workers: int = 2
    method: str = "reload"
    no_fork: bool = False
    start_seconds: float = 0.0
    stop_seconds: float = 0.0
    stop_hangs: bool = False
    usr1_hangs: bool = False
    crash_while: str = ""
    close_listener: bool = False
    looping: bool = False
    occupied: bool = False
    stranger: bool = False


def read() -> Plan:
    """The plan of this process; the default one if nobody passed one."""
    return Plan(**json.loads(os.environ.get(VARIABLE, "{}")))


PLAN = read()


def tell(name: str, value: object = "") -> None:
    """Report an event to the runner, in one write that nothing can split."""
    line = f"{os.getpid()} {time.monotonic_ns()} {name} {value}\n"
    # not os.write: eventlet's must not be called by a signal handler
    posix.write(PLAN.events, line.encode())


def configuration() -> Any:
    """The program's configuration, as oslo.config reads it."""
    from oslo_config import cfg

    logging.basicConfig(level=logging.INFO)
    conf = cfg.ConfigOpts()
    conf.register_opt(cfg.IntOpt("value", default=0, mutable=True))
    conf(["--config-file", PLAN.config], project="faults")
    return conf


def listen() -> socket.socket:
    """The listening socket of a library that has no call for it."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    sock.listen(1024)
    return sock


def announce(listener: socket.socket) -> None:
    """Do what an application does before it makes its launcher."""
    # not flushed: it is still in the buffer when the process ends
    print("about to launch")
    signal.signal(signal.SIGUSR1, _on_usr1)
    if PLAN.stranger:
        tell("stranger", subprocess.Popen(["sleep", str(FOR_EVER)]).pid)
    if PLAN.occupied:
        occupy()
    tell("listening", listener.getsockname()[1])
    tell("launching")


def _on_usr1(_number: int, _frame: object) -> None:
    tell("usr1")
    if PLAN.usr1_hangs:
        hang()


def begin() -> None:
    """The first lines of start()."""
    tell("start")
    if PLAN.crash_while and os.path.exists(PLAN.crash_while):
        raise RuntimeError("start() was told to fail")
    if PLAN.occupied:
        occupy()


def hang() -> None:
    """Be stuck in C code, as in an extension that keeps the GIL to itself.

    A mutex, since a signal would interrupt a sleep.
    """
    libc = ctypes.PyDLL(None)
    mutex = ctypes.create_string_buffer(64)
    while True:
        libc.pthread_mutex_lock(mutex)


def occupy() -> None:
    """Get a thread of a standard pool stuck."""
    concurrent.futures.ThreadPoolExecutor(1).submit(time.sleep, FOR_EVER)


def answer() -> bytes:
    """What a client gets: the pid of who served it."""
    return b"%d\n" % os.getpid()


def repeat_in_a_pool() -> None:
    """Do something again and again, as a looping call on threads does."""

    def repeat() -> None:
        while True:
            time.sleep(0.1)

    concurrent.futures.ThreadPoolExecutor(1).submit(repeat)
