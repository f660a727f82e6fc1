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

"""Server and callers in one process: ``contender.py NAME CALLS SECONDS``.

The time runs from the moment at which all callers are let go to the last answer.
"""
# ruff: noqa: E402

import sys

name, calls, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])

if name == "stock":
    from oslo_service import backend

    backend.init_backend(backend.BackendType.THREADING)
    import threading as native
else:
    from oslo_asyncio import hub

    hub.setup(argv=[])
    from oslo_asyncio import messaging
    from oslo_asyncio import opts
    from oslo_asyncio._unpatched import threading as native

import asyncio
import json
import threading
import time

from oslo_config import cfg
import oslo_messaging

from bench.messaging import threads

threading.stack_size(256 * 1024)


class Sync:
    def wait(self, ctxt):
        time.sleep(seconds)
        return 1


class Async:
    async def wait(self, ctxt):
        await asyncio.sleep(seconds)
        return 1


def serve():
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, "fake://")
    target = oslo_messaging.Target(topic="bench", server="here")
    if name == "stock":
        server = oslo_messaging.get_rpc_server(transport, target, [Sync()])
    else:
        opts.register(cfg.CONF)
        cfg.CONF.set_override("rpc_concurrency", calls, group=opts.GROUP)
        server = messaging.get_rpc_server(transport, target, [Async()])
    server.start()
    return server, oslo_messaging.get_rpc_client(transport, target, timeout=60)


def call(client, gate, answers) -> None:
    gate.wait()
    answers.append(client.call({}, "wait"))


def main() -> None:
    cfg.CONF([], default_config_files=[], default_config_dirs=[])
    server, client = serve()
    gate, answers = threading.Event(), []
    callers = [
        threading.Thread(target=call, args=(client, gate, answers), name="caller")
        for _ in range(calls)
    ]
    for caller in callers:
        caller.start()
    with threads.Watch(native) as seen:
        cpu, start = time.process_time(), time.monotonic()
        gate.set()
        for caller in callers:
            caller.join()
        took = time.monotonic() - start
    assert len(answers) == calls
    cost = {"seconds": took, "cpu": time.process_time() - cpu}
    ours = {each: count for each, count in seen.ours().items() if each != "caller"}
    print(json.dumps({**cost, "ours": ours, "driver": seen.driver()}))
    server.stop()
    server.wait()


if __name__ == "__main__":
    main()
