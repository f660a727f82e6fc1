# ruff: noqa: E402

from oslo_asyncio import hub

hub.setup()

import asyncio
import sys

from oslo_config import cfg

from oslo_asyncio import loopingcall
from oslo_asyncio import service


class Volume:
    """Stands for something that takes its time."""

    steps = 3

    def poll(self):  # sync code: beside the loop
        self.steps -= 1
        if not self.steps:
            raise loopingcall.LoopingCallDone("in use")

    async def check(self):  # async code: on the loop
        await asyncio.sleep(0)
        if self.steps == 0:
            raise loopingcall.LoopingCallDone("healthy")


def attach(volume):
    # sync code waits, in its own thread
    return loopingcall.FixedIntervalLoopingCall(volume.poll).start(0.25).wait()


class Volumes(service.Service):
    async def wait(self):
        volume = Volume()
        print(await hub.run_sync(attach, volume))
        # async code awaits
        print(await loopingcall.FixedIntervalLoopingCall(volume.check).start(0.25))
        launcher.stop()


cfg.CONF(sys.argv[1:])
launcher = service.launch(cfg.CONF, Volumes())
sys.exit(launcher.wait())
