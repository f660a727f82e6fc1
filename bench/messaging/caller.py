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

"""A client in a process of its own: ``caller.py KIND URL TOPIC CALLS``.

KIND is async, for an AsyncRPCClient, or how many threads call with a stock client.
One call comes first, so that both ends have a connection; then all are let go.
"""
# ruff: noqa: E402, I001

import sys

kind, url, topic, calls = sys.argv[1:]

from oslo_asyncio import hub

hub.setup(argv=[])

import asyncio
import concurrent.futures
import contextlib
import json
import time

from oslo_config import cfg

from oslo_asyncio import messaging

import oslo_messaging

from bench.messaging import threads

TIMEOUT = 120


def call_async(transport, target):
    client = messaging.get_rpc_client(transport, target, timeout=TIMEOUT)

    async def call():
        await client.call({}, "wait", number=0)
        with measured() as found:
            each = [client.call({}, "wait", number=n) for n in range(int(calls))]
            answers = await asyncio.gather(*each)
        return answers, found

    return asyncio.run(call())


def call_stock(transport, target):
    client = oslo_messaging.get_rpc_client(transport, target, timeout=TIMEOUT)
    client.call({}, "wait", number=0)

    def call(number):
        return client.call({}, "wait", number=number)

    pool = concurrent.futures.ThreadPoolExecutor(int(kind), "caller")
    with measured() as found, pool:
        answers = list(pool.map(call, range(int(calls))))
    return answers, found


@contextlib.contextmanager
def measured():
    found = {}
    with threads.Watch() as seen:
        wall, cpu = time.perf_counter(), time.process_time()
        yield found
        found["seconds"] = time.perf_counter() - wall
        found["client cpu"] = time.process_time() - cpu
    found["client threads"] = {**seen.ours(), **seen.driver()}


def main():
    cfg.CONF([], default_config_files=[], default_config_dirs=[])
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    target = oslo_messaging.Target(topic=topic)
    answers, found = (call_async if kind == "async" else call_stock)(transport, target)
    assert answers == [*range(int(calls))]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
