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

"""What systemd and a service tell each other.

systemd passes listening sockets (:func:`listen_fds`).  A launcher says by
itself when its service is ready, reloads and stops, so services on a launcher
have no use for the rest; :func:`notify` is for programs without one.

The protocols are those of sd_notify(3), sd_watchdog_enabled(3) and
sd_listen_fds(3).  libsystemd is not needed.
"""

import collections
import logging
import os
import socket
import time

from oslo_asyncio import _activation
from oslo_asyncio import _unpatched

__all__ = ("Notifier", "listen_fds", "notify", "notify_once", "onready")

LOG = logging.getLogger(__name__)

#: systemd ignores a datagram of more than 4096 bytes altogether; so many
#: characters and the other fields fit in whatever the alphabet is
_LONGEST_STATUS = 800

#: datagrams that wait for room in a full socket; older ones are out of date
_MOST_UNSENT = 64

_ONE_LINE = str.maketrans("\n\r\0", "   ")

_FAILURE = "Cannot notify systemd at %s: %s"

listen_fds = _activation.listen_fds
listen_fds.__module__ = __name__  # nobody should have to know where it is


def notify() -> None:
    """Tell systemd now that this service is ready.

    It does nothing where ``NOTIFY_SOCKET`` is not set: outside of systemd, and
    in the processes of a launcher, which says so itself when all workers are
    ready.  It costs one datagram, never blocks, and logs a warning when it
    cannot be sent.

    >>> from oslo_asyncio import systemd
    >>> systemd.notify()
    """
    _notify()


def notify_once() -> None:
    """As :func:`notify`, and then remove ``NOTIFY_SOCKET`` from the environment.

    Further calls and subprocesses then have nobody to notify.  When it cannot be
    sent the variable stays, and it may be tried again.
    """
    if _notify():
        os.environ.pop("NOTIFY_SOCKET", None)


def onready(notify_socket: str, timeout: float) -> int:
    """Be the one who is notified: wait for the first message of a service.

    :param notify_socket: the path of a UNIX socket, which must not exist and is
        removed afterwards, or an abstract name that begins with ``@``.  The
        service finds it in its ``NOTIFY_SOCKET``.
    :param timeout: how long to wait, in seconds.  Blocks the calling thread or
        green thread.
    :returns: 0 when the message says that the service is ready, 1 when it says
        something else, 2 when none came in time.
    :raises OSError: the socket cannot be made.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.bind(_address(notify_socket))
        try:
            fields = sock.recv(4096).split(b"\n")
        except (TimeoutError, BlockingIOError):
            return 2
        finally:
            if not notify_socket.startswith("@"):
                os.unlink(notify_socket)
    return 0 if b"READY=1" in fields else 1


class Notifier:
    """What the parent of all workers tells systemd.  Launchers have one.

    Nothing here blocks or raises, whatever becomes of the socket: the first
    failure is logged.  What finds systemd's socket full is sent before the next
    message.  A forked child is silent, since systemd listens to the main process
    of a service only (``NotifyAccess=main``).

    :param address: as in ``NOTIFY_SOCKET``; an empty one makes a notifier that
        does nothing.
    :param watchdog: seconds between calls of :meth:`alive`, or None.

    >>> from oslo_asyncio import systemd
    >>> notifier = systemd.Notifier.from_environment()
    >>> notifier.ready("4 of 4 workers are ready")
    >>> notifier.restore()
    """

    def __init__(self, address: str = "", watchdog: float | None = None) -> None:
        self.watchdog = watchdog
        self._address = address
        self._pid = os.getpid()
        self._taken: dict[str, str] = {}
        self._unsent = collections.deque[bytes](maxlen=_MOST_UNSENT)
        self._failed = False

    @classmethod
    def from_environment(cls) -> "Notifier":
        """Take systemd's variables out of the environment.

        ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` are gone from
        ``os.environ`` afterwards, so that no worker and no subprocess sees
        them.  The watchdog is pinged twice as often as systemd asks for, which
        is what systemd advises.

        :raises InvalidEnvironment: one of the last two is not a number.
        """
        notifier = cls(os.environ.get("NOTIFY_SOCKET", ""), _watchdog())
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
            if name in os.environ:
                notifier._taken[name] = os.environ.pop(name)
        return notifier

    def restore(self) -> None:
        """Put the variables back, for whoever comes after this launcher."""
        if os.getpid() == self._pid:
            os.environ.update(self._taken)

    def ready(self, status: str) -> None:
        """The service is ready, or has been reloaded.

        :param status: a line for ``systemctl status``.
        """
        self.send("READY=1", _status(status))

    def reloading(self, status: str) -> None:
        """A reload begins; :meth:`ready` ends it.

        :param status: a line for ``systemctl status``.
        """
        # systemd compares this with the time of its signal
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.send("RELOADING=1", f"MONOTONIC_USEC={now}", _status(status))

    def stopping(self, status: str) -> None:
        """The service stops.

        :param status: a line for ``systemctl status``.
        """
        self.send("STOPPING=1", _status(status))

    def status(self, text: str) -> None:
        """Show a line in ``systemctl status``.

        :param text: new lines in it become spaces.
        """
        self.send(_status(text))

    def alive(self) -> None:
        """Ping the watchdog; to be called every ``watchdog`` seconds."""
        # not kept when the socket is full, for it speaks of this moment
        if self._send_unsent():
            self._deliver(b"WATCHDOG=1")

    def extend(self, seconds: float) -> None:
        """Ask for more time to start, reload or stop.

        :param seconds: how long from now on systemd is to wait.
        """
        self.send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1_000_000)}")

    def send(self, *fields: str) -> None:
        """Send one datagram.

        :param fields: such as ``READY=1`` and ``STATUS=all is well``.
        """
        text = "\n".join(field.translate(_ONE_LINE) for field in fields)
        self._unsent.append(text.encode(errors="replace"))
        self._send_unsent()

    def _send_unsent(self) -> bool:
        """In order; False when the socket is full."""
        while self._unsent:
            if not self._deliver(self._unsent[0]):
                return False
            self._unsent.popleft()
        return True

    def _deliver(self, data: bytes) -> bool:
        """Whether there is no point in trying again."""
        if not self._address or os.getpid() != self._pid:
            return True
        try:
            _send(self._address, data)
        except OSError as error:
            if not self._failed:
                LOG.warning(_FAILURE, self._address, error)
            self._failed = True
            return not isinstance(error, BlockingIOError)
        return True


def _watchdog() -> float | None:
    """Seconds between pings."""
    if not os.environ.get("NOTIFY_SOCKET"):
        return None
    if _activation.number("WATCHDOG_PID") not in (None, os.getpid()):
        return None
    microseconds = _activation.number("WATCHDOG_USEC")
    return microseconds / 2 / 1_000_000 if microseconds else None


def _status(text: str) -> str:
    return f"STATUS={text[:_LONGEST_STATUS]}"


def _notify() -> bool:
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    try:
        _send(address, b"READY=1")
    except OSError as error:
        LOG.warning(_FAILURE, address, error)
        return False
    return True


def _address(name: str) -> str:
    """An abstract name is written with ``@`` for its NUL."""
    return "\0" + name[1:] if name.startswith("@") else name


def _send(address: str, data: bytes) -> None:
    # native: a green socket would give the parent of all workers an eventlet hub
    native = _unpatched.socket
    kind = native.SOCK_DGRAM | native.SOCK_CLOEXEC
    with native.socket(native.AF_UNIX, kind) as sock:
        sock.sendto(data, native.MSG_DONTWAIT, _address(address))
