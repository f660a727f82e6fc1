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

"""What the service manager and the operator hear about the whole."""

import logging

from oslo_asyncio._supervisor import children
from oslo_asyncio._supervisor import crew as crew_module
from oslo_asyncio._supervisor import events
from oslo_asyncio._supervisor import rolling as rolling_module


class Announcer:
    """Says when all are ready, how many are, and that somebody is alive."""

    def __init__(
        self,
        crew: crew_module.Crew,
        rolling: rolling_module.Rolling,
        services: list[children.Service],
        now: float,
    ) -> None:
        self._crew = crew
        self._rolling = rolling
        self._services = services
        self._began = now
        self._before = -1
        self.ping: float | None = None

    def announce(self, now: float) -> None:
        """What has changed since the last time."""
        kept = [slot for slot in self._crew.slots if not slot.retired]
        ready = sum(slot.ready for slot in kept)
        text = f"{ready} of {len(kept)} workers are ready"
        every = self._crew.settings.watchdog
        if self._rolling.reloading:
            pass  # it says itself when it begins and ends
        elif ready == len(kept) and not self._crew.announced:
            self._crew.announced = True
            self.ping = now if every else None
            took = f"{text}, after {(now - self._began) * 1000:.0f} ms"
            self._crew.out.append(
                events.Report(took, logging.INFO, events.Notice.READY)
            )
        elif ready != self._before:
            self._crew.out.append(events.Report(text, notice=events.Notice.STATUS))
        self._before = ready
        if self.ping is not None and now >= self.ping:
            self.ping = now + every if every else None
            if all(self._alive(service) for service in self._services):
                self._crew.out.append(events.Report("", notice=events.Notice.ALIVE))

    def _alive(self, service: children.Service) -> bool:
        # while its only worker is replaced it has none for a moment
        slot = self._rolling.slot
        replaced = slot is not None and slot.service is service
        # one that drains is alive as well, and one that hangs is not
        return replaced or any(
            child.slot.service is service and child.step < children.Step.ABRT
            for child in self._crew.by_key.values()
        )
