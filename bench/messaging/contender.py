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

"""One contender: ``contender.py NAME CALLS SECONDS``."""
# ruff: noqa: E402

import sys

name, calls, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])

if name == "stock":
    from oslo_service import backend

    backend.init_backend(backend.BackendType.THREADING)
else:
    from oslo_asyncio import hub

    hub.setup(argv=[])
    from oslo_asyncio import messaging
    from oslo_asyncio import opts

import asyncio
import collections
import re
import threading
import time

from oslo_config import cfg
import oslo_messaging

threading.stack_size(256 * 1024)


class Sync:
    def wait(self, ctxt):
        begun()
        time.sleep(seconds)
        return 1


class Async:
    async def wait(self, ctxt):
        begun()
        await asyncio.sleep(seconds)
        return 1


seen: list[str] = []
count = 0


def begun() -> None:
    """Look at the threads once, when as many calls run as ever will."""
    global count
    count += 1
    if count == min(calls, calls if name != "stock" else 64):
        seen.extend(thread.name for thread in threading.enumerate())


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
    cpu, start = time.process_time(), time.monotonic()
    gate.set()
    for caller in callers:
        caller.join()
    took = time.monotonic() - start
    assert len(answers) == calls
    after = [thread.name for thread in threading.enumerate()]
    print(f"{took:.2f} {time.process_time() - cpu:.2f}", *threads(seen, after))
    server.stop()
    server.wait()


def threads(during, after):
    """How many the server had, and what they are called; numbers do not matter."""
    most = max((during, after), key=lambda names: len(ours(names)))
    names = collections.Counter(
        re.sub(r"[-_]?\d+", "", each).strip() for each in ours(most)
    )
    return len(ours(most)), ", ".join(f"{n} x{k}" for n, k in sorted(names.items()))


def ours(names):
    return [each for each in names if each not in ("caller", "MainThread")]


if __name__ == "__main__":
    main()
