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

"""cotyledon, with the same service on a loop of its own."""

import asyncio

import cotyledon

from bench.programs import _answer
from bench.programs import _plan

_plan.say("imported")


class Answer(cotyledon.Service):
    """The service of all contenders; cotyledon runs it in threads."""

    listener = None

    def run(self) -> None:
        asyncio.run(self.serve())

    async def serve(self) -> None:
        self.stopped, self.loop = asyncio.Event(), asyncio.get_running_loop()
        server = _answer.Server(self.listener)
        await server.start()
        _plan.say("ready", _plan.configured())
        await self.stopped.wait()
        await server.stop()
        self.left.set()

    def __init__(self, worker_id) -> None:
        super().__init__(worker_id)
        import threading

        self.left = threading.Event()

    def terminate(self) -> None:
        self.loop.call_soon_threadsafe(self.stopped.set)
        self.left.wait()


if __name__ == "__main__":
    manager = cotyledon.ServiceManager()
    Answer.listener = _plan.listen()
    manager.add(Answer, workers=_plan.WORKERS)
    manager.run()
