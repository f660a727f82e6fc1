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

"""A client that is told what to call: ``asking.py URL KIND``.

KIND is async, for an AsyncRPCClient, or stock.  Commands on stdin: ``call TOPIC
METHOD COUNT TIMEOUT``; ``load TOPIC PER_SECOND TIMEOUT``, an open loop in which a slow
answer delays no call, until ``enough``; ``settle`` says when every call has ended.
"""

# ruff: noqa: E402
from oslo_asyncio import hub

hub.setup(argv=[])

import asyncio
import itertools
import logging
import sys
import warnings

from oslo_config import cfg

from oslo_asyncio import _unpatched
from oslo_asyncio import executor
from oslo_asyncio import messaging
from oslo_asyncio.tests.messaging.answering import quick
from oslo_asyncio.tests.messaging.answering import say


class Caller:
    def __init__(self, transport, kind):
        import oslo_messaging

        self._library = oslo_messaging
        self._transport = transport
        self._kind = kind
        self._numbers = itertools.count()
        self._tasks = set()
        self._loads = set()

    def call(self, topic, method, count, timeout):
        for _ in range(int(count)):
            number = next(self._numbers)
            steps = self._call(topic, method, number, float(timeout))
            self._begin(steps, self._tasks)

    def load(self, topic, per_second, timeout):
        steps = self._load(topic, float(per_second), timeout)
        self._begin(steps, self._loads)

    async def enough(self):
        for load in self._loads:
            load.cancel()
        await asyncio.gather(*self._loads, return_exceptions=True)
        say("enough")

    async def settle(self):
        await asyncio.gather(*self._tasks)
        say("settled")

    def _begin(self, steps, tasks):
        task = asyncio.create_task(steps)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _load(self, topic, per_second, timeout):
        while True:
            self.call(topic, "answer", 1, timeout)
            await asyncio.sleep(1 / per_second)

    async def _call(self, topic, method, number, timeout):
        target = self._library.Target(topic=topic)
        call = f"{topic}/{number}"
        try:
            answer = await self._ask(target, method, call, timeout)
        except Exception as error:
            say("failed", call, type(error).__name__)
        else:
            say("answered" if answer == call else "mixed", call)

    async def _ask(self, target, method, call, timeout):
        if self._kind == "async":
            client = messaging.get_rpc_client(self._transport, target, timeout=timeout)
            return await client.call({}, method, call=call)
        client = self._library.get_rpc_client(self._transport, target, timeout=timeout)
        return await hub.run_sync(client.call, {}, method, call=call)


async def obey(caller):
    say("ready")
    while command := await executor.run_blocking(read_line):
        name, *arguments = command.split()
        done = getattr(caller, name)(*arguments)
        if done is not None:
            await done


def read_line():
    line = b""
    while not line.endswith(b"\n"):
        byte = _unpatched.os.read(0, 1)
        if not byte:
            break
        line += byte
    return line.decode()


def main(url, kind):
    warnings.simplefilter("ignore")
    logging.basicConfig(stream=sys.stdout, level=logging.INFO)
    import oslo_messaging

    cfg.CONF([], default_config_files=[], default_config_dirs=[])
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    quick()
    hub.load(cfg.CONF).new_event_loop().run_until_complete(
        obey(Caller(transport, kind))
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
