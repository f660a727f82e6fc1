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

"""The supervisor's picture of its workers."""

import enum

from oslo_asyncio._supervisor import restarts


class State(enum.IntEnum):
    """How far a child has come; it only goes up."""

    STARTING = 1
    READY = 2
    LEAVING = 3


class Step(enum.IntEnum):
    """How hard a child has been pushed; it only goes up."""

    NONE = 0
    TERM = 1
    ABRT = 2
    KILL = 3


class Service:
    """What a number of workers run."""

    __slots__ = ("ever_ready", "name", "number", "workers")

    def __init__(self, number: int, name: str, workers: int) -> None:
        self.number = number
        self.name = name
        self.workers = workers
        self.ever_ready = False


class Child:
    """One process.

    :ivar edition: of the configuration that it was forked with.
    :ivar told: whether the supervisor has asked it to stop.
    :ivar due: when it must have become ready, sent a beat, or ended.
    :ivar heartbeat: how long it may be silent, as it was told at its birth.
    :ivar expires: when it has lived long enough.
    :ivar patience: until when it is not recycled again.
    """

    pid: int | None = None
    state = State.STARTING
    step = Step.NONE
    told = False
    ready_at: float | None = None
    expires: float | None = None
    rss_limit = 0.0
    patience = 0.0

    def __init__(
        self,
        key: int,
        slot: "Slot",
        born: float,
        edition: int,
        due: float | None,
        heartbeat: float = 0.0,
    ) -> None:
        self.key = key
        self.slot = slot
        self.born = born
        self.edition = edition
        self.due = due
        self.heartbeat = heartbeat

    def late(self, now: float) -> bool:
        """Whether it has served, and has been silent for too long."""
        return self.state == State.READY and self.due is not None and now > self.due

    def hasten(self, due: float) -> None:
        """It has until then, unless it has less time already."""
        self.due = due if self.due is None else min(self.due, due)

    def __str__(self) -> str:
        return f"{self.slot} (pid {self.pid})" if self.pid else f"{self.slot}"


class Slot:
    """One worker of a service, whichever process it is at the moment.

    :ivar number: the worker's id, unique in the launcher.
    :ivar at: not before this time is the next process forked.
    :ivar retired: its process ends and is not replaced.
    """

    def __init__(self, number: int, service: Service) -> None:
        self.number = number
        self.service = service
        self.at = 0.0
        self.retired = False
        self.children: list[Child] = []
        self.policy = restarts.RestartPolicy()

    @property
    def serving(self) -> Child | None:
        """The process that is not leaving, the oldest of two."""
        for child in self.children:
            if child.state != State.LEAVING:
                return child
        return None

    @property
    def ready(self) -> bool:
        """Whether a process serves."""
        return any(child.state == State.READY for child in self.children)

    def __str__(self) -> str:
        return f"Worker {self.number} of {self.service.name}"


def ending(status: int, signal: str) -> str:
    """How a process ended, in words."""
    if status < 0:
        return f"was ended by {signal or f'signal {-status}'}"
    return f"exited with status {status}"
