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

"""What the services of one launcher say about themselves."""

from collections.abc import Callable
import dataclasses
import os
import threading


@dataclasses.dataclass(frozen=True)
class Event:
    """One line from a service.

    :param pid: the process that wrote it.
    :param ns: when, on the monotonic clock, which all processes share.
    :param name: "start", "ready", "stop", "stopped", "reset" ...
    :param value: a config value, a port or a pid; "" for most events.
    """

    pid: int
    ns: int
    name: str
    value: str


class Events:
    """Reads a pipe that a launcher and all its descendants hold open.

    So the end of the file is the end of the last process of the tree.

    :param fd: the end to read from; closed when the file ends.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._seen: list[Event] = []
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def all(self, *names: str) -> list[Event]:
        """What has been said so far; only events with these names, if given."""
        seen = self._seen[:]
        return [event for event in seen if not names or event.name in names]

    def wait(self, condition: Callable[[], object], seconds: float) -> bool:
        """Wait until a condition on the events is true.

        :returns: whether it was, in time.
        """
        with self._changed:
            return bool(self._changed.wait_for(condition, seconds))

    def ended(self, seconds: float) -> bool:
        """Whether the last process of the tree has ended by then."""
        return self.wait(lambda: self._ended, seconds)

    def _read(self) -> None:
        rest = b""
        while data := os.read(self._fd, 65536):
            *lines, rest = (rest + data).split(b"\n")
            self._add([_parse(line.decode()) for line in lines])
        os.close(self._fd)
        self._ended = True
        self._add([])

    def _add(self, events: list[Event]) -> None:
        with self._changed:
            self._seen += events
            self._changed.notify_all()


def _parse(line: str) -> Event:
    pid, ns, name, value = line.split(" ", 3)
    return Event(int(pid), int(ns), name, value)
