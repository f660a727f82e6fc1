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

"""Short connections at a given rate, from a process of their own.

``python client.py PORT`` obeys one command per line: ``calm SECONDS`` says how many
connections per second it gets answered; ``load RATE`` begins so many per second,
whatever becomes of those before; ``stop`` says how many there were, what became of
those that were lost, and how long the slowest took.
"""

import asyncio
import collections
import json
import socket
import sys

#: as many at once when the rate is measured
_CALM = 16

#: seconds after which nobody answers any more
_PATIENCE = 30.0

#: seconds between the looks at the schedule
_STEP = 0.005


class Client:
    def __init__(self, port):
        self.loop = asyncio.get_running_loop()
        self.port = port
        self.lost = collections.Counter()
        self.total = 0
        self.slowest = 0.0
        self.running = set()
        self.loading = None

    async def connect(self):
        """Ask one question; the answer begins with it."""
        self.total += 1
        question = b"question %d\n" % self.total
        began = self.loop.time()
        with socket.socket() as sock:
            sock.setblocking(False)
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self.loop.sock_connect(sock, ("127.0.0.1", self.port))
                    await self.loop.sock_sendall(sock, question)
                    answer = b""
                    while not answer.endswith(b"\n"):
                        data = await self.loop.sock_recv(sock, 100)
                        if not data:
                            break
                        answer += data
            except OSError as error:
                self.lost[type(error).__name__] += 1
                return
        if answer != b"answer to " + question:
            self.lost[f"answered {answer!r}"] += 1
        self.slowest = max(self.slowest, self.loop.time() - began)

    async def calm(self, seconds):
        """Connections per second, one after the other in a few lines."""
        began = self.loop.time()

        async def line():
            while self.loop.time() < began + seconds:
                await self.connect()

        await asyncio.gather(*(line() for _ in range(_CALM)))
        return self.total / (self.loop.time() - began)

    async def load(self, rate):
        """Begin connections by a schedule, until cancelled."""
        began, before = self.loop.time(), self.total
        while True:
            due = before + (self.loop.time() - began) * rate
            while self.total < due:
                task = self.loop.create_task(self.connect())
                self.running.add(task)
                task.add_done_callback(self.running.discard)
                # its first step counts it
                await asyncio.sleep(0)
            await asyncio.sleep(_STEP)

    async def stop(self):
        """What became of them."""
        self.loading.cancel()
        await asyncio.gather(*self.running)
        return {"total": self.total, "lost": self.lost, "slowest": self.slowest}

    async def obey(self, command, *numbers):
        if command == "load":
            self.total, self.slowest = 0, 0.0
            self.loading = self.loop.create_task(self.load(float(numbers[0])))
            return "loading"
        return await getattr(self, command)(*map(float, numbers))


async def main(port):
    client = Client(int(port))
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    while line := await commands.readline():
        print(json.dumps(await client.obey(*line.decode().split())), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
