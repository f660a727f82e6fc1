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

"""What the supervisor is told, and what it answers.

Children are named by a number of ours that is never used twice: a pid may
belong to somebody else as soon as its process was reaped.
"""

import enum

from oslo_asyncio import _record


class Word(enum.Enum):
    """What a worker says."""

    READY = "ready"
    BEAT = "beat"
    LEAVING = "leaving"


class Ask(enum.Enum):
    """What somebody wants of the launcher."""

    STOP = "stop"
    HURRY = "hurry"
    RELOAD = "reload"
    MORE = "more"
    FEWER = "fewer"


class Command(enum.Enum):
    """What a worker is told; a stop is a signal, which reaches a blocked one, too."""

    HURRY = "hurry"
    MUTATE = "mutate"


class Notice(enum.Enum):
    """What the service manager is told."""

    READY = "ready"
    RELOADING = "reloading"
    STOPPING = "stopping"
    STATUS = "status"
    ALIVE = "alive"


class Config(enum.Enum):
    """What is to be done with the configuration."""

    READ = "read"
    RESTORE = "restore"


# -- events -------------------------------------------------------------------


class Forked(_record.Record):
    """A fork that was ordered has happened, or has failed (pid None)."""

    child: int
    pid: int | None
    error: str = ""


class Said(_record.Record):
    """A worker has sent a word; ``rss`` in bytes comes with a beat."""

    child: int
    word: Word
    rss: int = 0


class Ended(_record.Record):
    """A worker was reaped; a negative status is the signal that ended it."""

    child: int
    status: int
    signal: str = ""


class Asked(_record.Record):
    """A signal, or a call of the launcher's methods."""

    what: Ask


class Loaded(_record.Record):
    """The configuration was read; None: it is bad, and the old one stays."""

    settings: "Settings | None"


class Tick(_record.Record):
    """Nothing happened; the time has come that ``deadline()`` named."""


Event = Forked | Said | Ended | Asked | Loaded | Tick


# -- actions ------------------------------------------------------------------


class Fork(_record.Record):
    """Make a process for ``worker`` that runs service number ``service``."""

    child: int
    worker: int
    service: int


class Send(_record.Record):
    """Tell a worker through its channel."""

    child: int
    command: Command


class Kill(_record.Record):
    """Signal a worker: "TERM", "ABRT" or "KILL"."""

    child: int
    name: str


class Configure(_record.Record):
    """Read the configuration again (answered by Loaded), or take that back."""

    what: Config


class Report(_record.Record):
    """Log ``text`` at ``level`` (0: do not), and tell the service manager.

    ``seconds``: how long what has begun may take; None: nobody knows.
    """

    text: str
    level: int = 0
    notice: Notice | None = None
    seconds: float | None = None


class CloseListeners(_record.Record):
    """Close the parent's copies of the listening sockets."""


class Exit(_record.Record):
    """All workers have gone; end with this status."""

    status: int


Action = Fork | Send | Kill | Configure | Report | CloseListeners | Exit


# -- what is wanted -----------------------------------------------------------


class Settings(_record.Record):
    """The options that the supervisor decides by; seconds and bytes, 0: off.

    :ivar grace: how long a stop may take.
    :ivar start: how long a worker may take to get ready.
    :ivar heartbeat: how long a ready worker may be silent.
    :ivar lifetime: after how long a ready worker is replaced.
    :ivar rss: with how much memory a worker is replaced.
    :ivar order: ``"start_first"``, ``"stop_first"``, or ``"auto"``: the former
        for a service with two or more workers.
    :ivar watchdog: how often the service manager wants a sign of life.
    :ivar mutate: a reload tells the workers instead of replacing them.
    """

    grace: float = 60.0
    start: float = 600.0
    heartbeat: float = 0.0
    lifetime: float = 0.0
    rss: int = 0
    order: str = "auto"
    watchdog: float = 0.0
    mutate: bool = False
