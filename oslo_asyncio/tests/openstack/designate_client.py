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

"""Calls designate-central over RPC, as it is told on stdin.

``up NAME...`` asks until these services have sent it a heartbeat; ``purge`` makes it
log at level DEBUG; ``begin`` asks 20 times a second until ``end``: an open loop, in
which a slow answer delays no call.
"""

import collections
import concurrent.futures
import json
import sys
import threading
import time

from designate import context
from designate import rpc
from designate import utils
from designate.central import rpcapi
import designate.cmd  # sets defaults, as in each of its programs
import designate.conf
from oslo_log import log as logging

_PER_SECOND = 20

_never = threading.Event()


class Load:
    """Calls ``call()`` at a steady rate and counts what comes of it."""

    def __init__(self, call) -> None:
        self._call = call
        self._counts: collections.Counter[str] = collections.Counter()
        self._ended = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(64)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.wait(max(0, due - time.monotonic())):
            self._pool.submit(self._once)
            due += 1 / _PER_SECOND

    def _once(self) -> None:
        try:
            self._call()
        except Exception as error:
            self._counts[type(error).__name__] += 1
            say("failure", type(error).__name__, error)
        else:
            self._counts["answered"] += 1
            say("answer")

    def end(self) -> dict[str, int]:
        """Stop calling, and wait for the answers that are due."""
        self._ended.set()
        self._thread.join()
        self._pool.shutdown()
        return dict(self._counts)


def say(*words) -> None:
    # in one piece, for several threads say something
    sys.stdout.write(" ".join(map(str, (":", *words))) + "\n")


def main() -> None:
    utils.read_config("designate", sys.argv)
    conf = designate.conf.CONF
    logging.setup(conf, "designate")
    rpc.init(conf)
    central = rpcapi.CentralAPI.get_instance()
    admin = context.DesignateContext.get_admin_context()

    def ask() -> set[str]:
        up = {"status": "UP"}
        found = central.find_service_statuses(admin, criterion=up)
        return {each.service_name for each in found}

    say("started")
    load = None
    for line in sys.stdin:
        match line.split():
            case "up", *names:
                while not set(names) <= ask():
                    _never.wait(0.1)
                say("up", *names)
            case ["purge"]:
                central.purge_zones(admin, {"deleted": "!0", "deleted_at": "<=0"}, 1)
                say("purged")
            case ["begin"]:
                load = Load(ask)
            case ["end"]:
                say("load", json.dumps(load.end()))


if __name__ == "__main__":
    main()
