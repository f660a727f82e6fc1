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

"""``loop.getaddrinfo("localhost", PORT)``, each with a port of its own.

With ``same`` all are for one port: who shares answers looks up once.
"""

import asyncio
import itertools
import socket

from bench.inside import calls
from bench.inside import loops


def run(
    contender: str, total: int, in_flight: int, same: bool = False
) -> dict[str, float]:
    count = _count_lookups()
    rate = loops.run(contender, lambda: _main(total, in_flight, same))
    return {"rate": rate, "lookups": next(count) - 1}  # one warms up


def _count_lookups():
    count, look_up = itertools.count(), socket.getaddrinfo

    def counted(*args, **kwargs):
        next(count)
        return look_up(*args, **kwargs)

    socket.getaddrinfo = counted
    return count


async def _main(total: int, in_flight: int, same: bool) -> float:
    look_up = asyncio.get_running_loop().getaddrinfo
    ports = itertools.repeat(80) if same else itertools.cycle(range(1, 60000))
    kind = socket.SOCK_STREAM
    return await calls.per_second(
        lambda: look_up("localhost", next(ports), type=kind), total, in_flight
    )
