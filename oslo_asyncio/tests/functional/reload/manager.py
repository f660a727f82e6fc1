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

"""A service manager's end of the notify socket."""

import os
import queue
import socket
import struct
import threading

from oslo_asyncio.tests.functional.program import LIMIT

_SO_TIMESTAMPNS = 35  # of Linux; the socket module has no name for it

PING = {"WATCHDOG": "1"}

#: More than any message and its credentials.
_LONGEST = 4096


class Manager:
    """Hears what a service tells its manager, who tells it, and when.

    A thread listens: a socket that is full would keep messages back.

    :ivar path: for ``NOTIFY_SOCKET``.
    :ivar heard: (time.time() when it was sent, pid of the sender, fields) of each.
    """

    def __init__(self, folder):
        self.path = os.fspath(folder / "notify")
        self.heard = []
        self._messages = queue.SimpleQueue()
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._sock.bind(self.path)
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def next_one(self):
        """The fields of the next message."""
        when, pid, fields = self._messages.get(timeout=LIMIT)
        self.heard.append((when, pid, fields))
        return fields

    def wait_for(self, field):
        """The next message with this field, skipping others."""
        while field not in (fields := self.next_one()):
            pass
        return fields

    def drain(self):
        """Hear what has been said so far."""
        self._say("MARK=1")
        self.wait_for("MARK")
        self.heard.pop()

    def transcript(self):
        """What was said so far, without pings."""
        self.drain()
        return [fields for _when, _pid, fields in self.heard if fields != PING]

    def pings(self, after, before):
        """How many came in that time."""
        self.drain()
        return sum(
            fields == PING and after < when < before
            for when, _pid, fields in self.heard
        )

    def close(self):
        self._say("END=1")
        self._thread.join()
        self._sock.close()

    def _say(self, text):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(text.encode(), self.path)

    def _listen(self):
        while True:
            data, extra, _flags, _name = self._sock.recvmsg(_LONGEST, _LONGEST)
            found = {kind: value for _level, kind, value in extra}
            seconds, nanoseconds = struct.unpack("qq", found[_SO_TIMESTAMPNS])
            pid = struct.unpack("3i", found[socket.SCM_CREDENTIALS])[0]
            fields = dict(line.split("=", 1) for line in data.decode().split("\n"))
            if "END" in fields:
                return
            self._messages.put((seconds + nanoseconds / 1e9, pid, fields))
