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

"""A thousand RPC calls in flight: how long, at what cost, with how many threads.

``python -m bench.rpcclient rabbit://USER:PASSWORD@HOST:PORT/`` has a stock server
with 64 threads, whose endpoint takes 0.2 s, and calls it a thousand times at once,
each time from a new process: with an AsyncRPCClient, and with the stock client in
64 and in 1 000 threads, by turns.
"""

import asyncio
import collections
import concurrent.futures
import json
import re
import subprocess
import sys
import threading
import time
import uuid

CALLS = 1000
ROUNDS = 3
SECONDS = 0.2


class Endpoint:
    def work(self, ctxt, number):
        time.sleep(SECONDS)
        return number


def load(url):
    from oslo_config import cfg

    from oslo_asyncio import hub
    from oslo_asyncio import takeover

    hub.setup(argv=[])
    takeover.take_over()
    import oslo_messaging

    cfg.CONF([], default_config_files=[], default_config_dirs=[])
    return oslo_messaging, oslo_messaging.get_rpc_transport(cfg.CONF, url)


def serve(url, topic):
    messaging, transport = load(url)
    target = messaging.Target(topic=topic, server="bench")
    endpoints = [Endpoint()]
    server = messaging.get_rpc_server(transport, target, endpoints, "threading")
    server.start()
    print("ready", flush=True)
    sys.stdin.read()
    server.stop()
    server.wait()


def watch(names, done):
    """Note the most threads at a time, by name without its number."""
    while not done.wait(0.05):
        alive = threading.enumerate()
        found = collections.Counter(re.sub(r"[-_]\d+.*", "", t.name) for t in alive)
        for name, count in found.items():
            names[name] = max(names[name], count)


def measured(work):
    names, done = collections.Counter(), threading.Event()
    watcher = threading.Thread(target=watch, args=(names, done), name="watcher")
    watcher.start()
    wall, cpu = time.perf_counter(), time.process_time()
    answers = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    done.set()
    watcher.join()
    del names["watcher"]
    assert sorted(answers) == [*range(CALLS)]
    print(json.dumps({"wall": wall, "cpu": cpu, "threads": names}))


def call_async(url, topic):
    from oslo_asyncio._messaging import client

    messaging, transport = load(url)
    caller = client.get_rpc_client(
        transport, messaging.Target(topic=topic), timeout=120
    )

    async def main():
        calls = [caller.call({}, "work", number=number) for number in range(CALLS)]
        return await asyncio.gather(*calls)

    measured(lambda: asyncio.run(main()))


def call_stock(url, topic, threads):
    messaging, transport = load(url)
    target = messaging.Target(topic=topic)
    caller = messaging.get_rpc_client(transport, target, timeout=120)

    def work():
        with concurrent.futures.ThreadPoolExecutor(int(threads), "caller") as pool:
            each = lambda number: caller.call({}, "work", number=number)  # noqa: E731
            return list(pool.map(each, range(CALLS)))

    measured(work)


def run(*args):
    return subprocess.run(
        [sys.executable, "-m", __spec__.parent, *args],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout


def main(url):
    topic = f"bench-{uuid.uuid4().hex}"
    command = [sys.executable, "-m", __spec__.parent, url, "serve", topic]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, **pipes)
    assert server.stdout.readline() == b"ready\n"
    for number in range(ROUNDS):
        for kind in (["async"], ["stock", "64"], ["stock", "1000"]):
            found = json.loads(run(url, kind[0], topic, *kind[1:]))
            print(
                f"round {number + 1}  {' '.join(kind):10}  "
                f"{found['wall']:6.2f} s  CPU {found['cpu']:5.2f} s  "
                f"{sum(found['threads'].values()):4} threads: {found['threads']}",
                flush=True,
            )
    server.stdin.close()
    server.wait()


KINDS = {"serve": serve, "async": call_async, "stock": call_stock}

if __name__ == "__main__":
    url, *rest = sys.argv[1:]
    if rest:
        KINDS[rest[0]](url, *rest[1:])
    else:
        main(url)
