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

"""What a measured program is told, and how it tells what it does.

Imports little: the import of a contender is what is measured.
"""

import os
import time

EVENTS = int(os.environ["BENCH_EVENTS"])
WORKERS = int(os.environ["BENCH_WORKERS"])
CONFIG = os.environ["BENCH_CONFIG"]
METHOD = os.environ["BENCH_METHOD"]
LISTENS = bool(int(os.environ["BENCH_LISTENS"]))
DELAY = float(os.environ["BENCH_DELAY"])


def say(word: str, value: int = 0) -> None:
    """Tell who, when and what, in one write that nobody else's can split."""
    line = f"{word} {os.getpid()} {time.monotonic_ns()} {value}\n"
    os.write(EVENTS, line.encode())


def configured() -> int:
    """The number in the config file, read without a library."""
    with open(CONFIG) as config:
        for line in config:
            if line.startswith("value"):
                return int(line.partition("=")[2])
    return 0


def listen():
    """The socket of the service, whose port is told; None: it has none."""
    if not LISTENS:
        return None
    import socket

    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    say("listening", listener.getsockname()[1])
    return listener
