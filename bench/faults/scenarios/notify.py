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

"""What systemd is told, and by whom."""

import os
import signal
import socket
import struct
import tempfile
import threading
import time

from bench.faults import launched
from bench.faults import verdicts

#: struct ucred: pid, uid, gid
_CREDENTIALS = struct.Struct("iII")

_END = b"the runner has heard enough"


@verdicts.plays("55", "56")
def readiness(stage: verdicts.Stage) -> tuple[verdicts.Verdict, ...]:
    """A socket that plays systemd; the workers need a second to start.

    READY=1 comes when the last of them is ready, not before, and everything
    that comes is from the launcher, as NotifyAccess=main asks for.
    """
    with Systemd() as systemd:
        run = stage.start(
            start_seconds=1.0, environment={"NOTIFY_SOCKET": systemd.path}
        )
        run.get_ready()
        run.until(lambda: systemd.ready_ns, 2)
        run.signal(signal.SIGTERM)
        run.gone(launched.PATIENCE)
    last = max(event.ns for event in run.events.all("ready"))
    return _in_time(systemd.ready_ns, last), _from_launcher(systemd.senders, run.pid)


def _in_time(ready_ns: int, last: int) -> verdicts.Verdict:
    if not ready_ns:
        return verdicts.broken("READY=1 did not come")
    late = (ready_ns - last) / 1e9
    if late < 0:
        return verdicts.broken(f"READY=1 came {-late:.2f} s before all were ready")
    return verdicts.held(f"READY=1 came {1000 * late:.0f} ms after all were ready")


def _from_launcher(senders: set[int], launcher: int) -> verdicts.Verdict:
    if not senders:
        return verdicts.broken("nobody said anything")
    strangers = len(senders - {launcher})
    return verdicts.decide(not strangers, f"{strangers} other processes talked")


class Systemd:
    """A notification socket and a thread that listens to it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self._folder.name, "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        # the kernel adds the sender's pid, which nobody can make up
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.ready_ns = 0
        self.senders: set[int] = set()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Systemd":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
            ours.sendto(_END, self.path)
        self._thread.join()
        self._socket.close()
        self._folder.cleanup()

    def _listen(self) -> None:
        while True:
            message, ancillary, _, _ = self._socket.recvmsg(4096, 256)
            now = time.monotonic_ns()
            if message == _END:
                return
            self.senders.update(_pid(data) for _, _, data in ancillary)
            if b"READY=1" in message.split(b"\n") and not self.ready_ns:
                self.ready_ns = now


def _pid(credentials: bytes) -> int:
    pid, _uid, _gid = _CREDENTIALS.unpack_from(credentials)
    return int(pid)
