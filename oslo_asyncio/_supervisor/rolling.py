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

"""Replacing workers that serve, one at a time: reload and recycling."""

import collections
import enum
import logging

from oslo_asyncio._supervisor import children
from oslo_asyncio._supervisor import crew as crew_module
from oslo_asyncio._supervisor import events

#: Seconds until a worker that could not be replaced is tried again.
_PATIENCE = 60.0

_RELOAD = "reload"

#: slot, number of the child (0: whichever serves then), reason
_Wish = tuple[children.Slot, int, str]


class _Reload(enum.Enum):
    NONE = "none"
    READING = "reading"
    REPLACING = "replacing"


class Rolling:
    """At most one replacement is under way.

    It begins with a new process, or with the end of the old one, and it is
    done when the new one is ready and the old one has gone.  A new one that
    does not get ready ends a reload: the parent takes the old configuration
    back, and the workers that were not replaced keep serving.
    """

    def __init__(self, crew: crew_module.Crew) -> None:
        self._crew = crew
        self._queue: collections.deque[_Wish] = collections.deque()
        self._slot: children.Slot | None = None
        self._why = ""
        self._key = 0
        self._reload = _Reload.NONE
        self._before = crew.edition, crew.settings
        self._began = 0.0
        self._pending = False
        self._editions = 0

    @property
    def slot(self) -> children.Slot | None:
        """Whose process is being replaced."""
        return self._slot

    @property
    def reloading(self) -> bool:
        """Whether a reload is under way."""
        return self._reload is not _Reload.NONE

    @property
    def reading(self) -> bool:
        """Whether the configuration is being read: it is not known just now."""
        return self._reload is _Reload.READING

    def ask(self) -> None:
        """Reload when there is time; any number of wishes make one reload."""
        self._pending = True

    def recycle(self, child: children.Child, why: str, now: float) -> None:
        """Replace one worker that has lived long enough."""
        queued = any(slot is child.slot for slot, _key, _why in self._queue)
        queued = queued or child.slot is self._slot
        if now >= child.patience:
            child.patience = now + _PATIENCE
            if not queued:
                self._queue.append((child.slot, child.key, why))
        if child.expires is not None:  # ask again, should this come to nothing
            child.expires = max(child.expires, child.patience)

    def recycle_old(self, now: float) -> None:
        """Replace those whose time is over."""
        for child in self._crew.by_key.values():
            if child.expires is not None and now >= child.expires:
                age = now - (child.ready_at or child.born)
                self.recycle(child, f"has lived for {age:.0f} s", now)

    def loaded(self, settings: events.Settings | None, now: float) -> None:
        """The configuration was read."""
        crew = self._crew
        if not self.reading:
            return
        if settings is None:
            # whoever has read it has said why, in one line
            text = "Reload failed: the configuration is bad, the old one stays"
            self._end(text, logging.INFO)
            return
        self._reload = _Reload.REPLACING
        for slot in crew.slots:
            slot.at = min(slot.at, now)
            slot.policy.forgive()
        if settings.mutate:
            crew.settings = settings
            told = [c for c in crew.by_key.values() if c.state < children.State.LEAVING]
            crew.out += [events.Send(c.key, events.Command.MUTATE) for c in told]
            self._end(f"Reload ended: {len(told)} workers have been told", logging.INFO)
            return
        self._before = crew.edition, crew.settings
        crew.settings = settings
        self._editions += 1
        crew.edition = self._editions
        self._queue.extendleft((slot, 0, _RELOAD) for slot in reversed(crew.slots))

    def failed(self, child: children.Child, how: str) -> bool:
        """Whether the process that has gone was a replacement, not ready yet."""
        slot = self._slot
        if slot is not child.slot or child.ready_at is not None:
            return False
        self._slot = None
        what = f"the replacement, {child}, {how}"
        if self._why == _RELOAD:
            self._queue.clear()
            self._crew.edition, self._crew.settings = self._before
            self._crew.out.append(events.Configure(events.Config.RESTORE))
            self._end(
                f"Reload failed: {what}; the workers that were not replaced go on "
                f"with the old configuration"
            )
        else:
            self._crew.log(logging.ERROR, f"{slot} is not replaced: {what}")
        return True

    def advance(self, now: float) -> None:
        """Take the next step, if it is time for one."""
        self._progress(now)
        while self._slot is None and self._queue:
            self._begin(*self._queue.popleft(), now)
        if self._slot is None and self._reload is _Reload.REPLACING:
            took = now - self._began
            self._end(f"Reload ended after {took:.1f} s", logging.INFO)
        if self._pending and self._idle():
            self._pending = False
            self._reload = _Reload.READING
            self._began = now
            self._report(
                "Reload begins",
                logging.INFO,
                events.Notice.RELOADING,
                self._crew.longest_reload(),
            )
            self._crew.out.append(events.Configure(events.Config.READ))

    def _idle(self) -> bool:
        starting = children.State.STARTING
        booting = any(c.state == starting for c in self._crew.by_key.values())
        return self._slot is None and not self.reloading and not booting

    def _begin(self, slot: children.Slot, key: int, why: str, now: float) -> None:
        old = slot.serving
        if slot.retired or old is None or old.state != children.State.READY:
            return
        if key not in (0, old.key):
            return
        if why == _RELOAD and old.edition == self._crew.edition:
            return
        self._slot, self._why, self._key = slot, why, 0
        if why != _RELOAD:
            self._crew.log(logging.INFO, f"{old} {why} and is replaced")
        if self._starts_first(slot):
            self._key = self._crew.fork(slot, now).key
        else:
            self._crew.dismiss(old, now)

    def _starts_first(self, slot: children.Slot) -> bool:
        order = self._crew.settings.order
        several = len(self._crew.of(slot.service)) > 1
        return order == "start_first" or (order == "auto" and several)

    def _progress(self, now: float) -> None:
        slot = self._slot
        if slot is None:
            return
        if slot.retired:
            self._slot = None
            return
        if not slot.children:  # the old one has gone first
            if now >= slot.at:
                self._key = self._crew.fork(slot, now).key
            return
        fresh = self._crew.by_key.get(self._key)
        if fresh is None or fresh.state != children.State.READY:
            return
        old = [child for child in slot.children if child is not fresh]
        for child in old:
            self._crew.dismiss(child, now)
        if not old:
            self._slot = None

    def _end(self, text: str, level: int = logging.ERROR) -> None:
        self._reload = _Reload.NONE
        self._report(text, level, events.Notice.READY)

    def _report(
        self,
        text: str,
        level: int,
        notice: events.Notice,
        seconds: float | None = None,
    ) -> None:
        if not self._crew.announced:  # still starting, for the service manager
            notice = events.Notice.STATUS
        self._crew.out.append(events.Report(text, level, notice, seconds))
