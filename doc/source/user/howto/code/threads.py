# ruff: noqa: E402

from oslo_asyncio import hub

hub.setup()

import asyncio
import queue
import sys

from oslo_config import cfg

from oslo_asyncio import service
from oslo_asyncio import threadgroup


class Collector(service.Service):
    def __init__(self):
        super().__init__()
        self.samples = queue.Queue()
        # begins when the service starts, in the process that runs it
        self.tg.add_timer(0.01, self.measure)

    def start(self):
        self.tg.add_thread(self.write).link(self.written)
        self.tg.add_thread(self.watch)

    def measure(self):  # every 10 ms, beside the loop
        self.samples.put(1)

    def write(self):  # in a thread of its own, until the group is stopped
        written = 0
        while not threadgroup.stopping():
            try:
                written += self.samples.get(timeout=0.1)
            except queue.Empty:
                continue
            if written == 3:
                print("three samples", flush=True)
                launcher.stop()
        return written

    def written(self, thread):
        print("all written:", thread.wait() >= 3, flush=True)

    async def watch(self):  # a task of the loop, cancelled when the group stops
        await asyncio.sleep(3600)


cfg.CONF(sys.argv[1:])
launcher = service.launch(cfg.CONF, Collector())
sys.exit(launcher.wait())
