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


# ruff: noqa: E402

"""One contender: CALLS SECONDS BURST HUB KIND; prints one line of figures."""

import sys

CALLS, SECONDS, BURST = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
HUB, KIND = sys.argv[4:6]
PEER = HUB == "oslo.service"

if PEER:
    if KIND == "eventlet":
        import eventlet

        eventlet.monkey_patch()
    from oslo_service import backend

    backend.init_backend(backend.BackendType(KIND))
    from oslo_service import loopingcall
else:
    import os

    os.environ["OSLO_ASYNCIO_HUB"] = HUB
    from oslo_asyncio import hub

    hub.setup(argv=[])
    from oslo_asyncio import loopingcall

import logging
import os
import time
from typing import ClassVar

logging.disable(logging.CRITICAL)  # how late they are is what is counted here


class Ticker:
    """Notes how late each call is, by a schedule that begins with the first."""

    late: ClassVar[list[float]] = []
    now = 0

    def __init__(self) -> None:
        self.due = 0.0

    def tick(self) -> None:
        now = time.monotonic()
        if not self.due:
            self.due = now
        else:
            Ticker.late.append(now - self.due)
        self.due += 1.0

    async def tick_async(self) -> None:
        self.tick()


def main() -> None:
    method = "tick_async" if KIND == "async" else "tick"
    calls = [
        loopingcall.FixedIntervalLoopingCall(getattr(Ticker(), method))
        for _each in range(CALLS)
    ]
    for number, call in enumerate(calls):
        call.start(1.0, initial_delay=2.0 + (0 if BURST else number / CALLS))
    time.sleep(4.0)  # all have begun
    Ticker.late.clear()
    began, cpu = time.monotonic(), time.process_time()
    time.sleep(SECONDS)
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    late = sorted(Ticker.late)
    threads = len(os.listdir("/proc/self/task"))
    p50, p99, most = (
        1e3 * late[int(part * (len(late) - 1))] for part in (0.5, 0.99, 1)
    )
    missed = max(0, int(CALLS * took) - len(late))
    print(len(late), missed, f"{p50:.1f} {p99:.1f} {most:.1f} {cpu:.1f}", threads)
    sys.stdout.flush()
    os._exit(0)  # not one by one


main()
