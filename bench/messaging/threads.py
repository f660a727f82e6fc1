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

"""Which threads a process has had, the most at a time."""

import collections
import contextlib
import re
import threading

#: What the drivers of oslo.messaging call theirs, or what those run.
_DRIVER = ("Rabbit-heartbeat", "(_runner)", "(poll)", "(_process_in_background)")


class Watch(contextlib.AbstractContextManager):
    """Looks every 20 ms, from a thread of its own that it does not count.

    :param native: the threading module, as it was before eventlet patched it.
    """

    def __init__(self, native=threading):
        self._native = native
        self._over = native.Event()
        self._thread = native.Thread(target=self._look, name="watch", daemon=True)
        self._most = collections.Counter()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._over.set()
        self._thread.join()

    def ours(self):
        """Names without numbers, and how many there were; the loop's included."""
        return {n: k for n, k in self._most.items() if not _of_driver(n)}

    def driver(self):
        """The same, of the threads that oslo.messaging's driver has started."""
        return {n: k for n, k in self._most.items() if _of_driver(n)}

    def _look(self):
        while not self._over.wait(0.02):
            alive = [each.name for each in self._native.enumerate()]
            now = collections.Counter(_plain(name) for name in alive)
            self._most |= now - collections.Counter(["watch"])


def _plain(name):
    return re.sub(r"[-_]?\d+|:.*", "", name).strip()


def _of_driver(name):
    return any(part in name for part in _DRIVER)
