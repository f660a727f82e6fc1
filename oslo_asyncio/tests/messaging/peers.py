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

"""A stock RPC server of oslo.messaging, to be called.

Here for transports that do not leave the process, and in a process of its own for
a broker.  Tests talk to it by calls alone, so that both are the same to them.
"""

import collections
import importlib
import logging
import os
import subprocess
import sys
import threading
import uuid
import warnings

from oslo_config import cfg

from oslo_asyncio import hub
from oslo_asyncio import takeover

#: Whoever waits for so many seconds has failed; nothing waits for it to pass.
LIMIT = 30


class Refused(Exception):
    """What an endpoint raises."""


def load():
    """oslo.messaging, in a process whose hub is chosen."""
    if not hub.is_chosen():
        hub.setup(argv=[])
    if "oslo_messaging" not in sys.modules:
        takeover.take_over()
        cfg.CONF([], default_config_files=[], default_config_dirs=[])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it uses itself
        return importlib.import_module("oslo_messaging")


def transport(url, **options):
    """A transport, which cannot be told from those of a service."""
    return load().get_rpc_transport(cfg.CONF, url, **options)


class Endpoint:
    """What the peer does.  Calls of ``hold`` last until ``release``."""

    def __init__(self):
        self._changed = threading.Condition()
        self._held = collections.Counter()
        self._released = set()
        self.casts = []

    def greet(self, ctxt, name):
        return f"hello {name}"

    def nothing(self, ctxt):
        return None

    def context(self, ctxt):
        return ctxt

    def refuse(self, ctxt, reason):
        raise Refused(reason)

    def note(self, ctxt, what):
        with self._changed:
            self.casts.append(what)
            self._changed.notify_all()

    def notes(self, ctxt, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.casts) >= count, LIMIT)
            return self.casts

    def hold(self, ctxt, key):
        with self._changed:
            self._held[key] += 1
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: key in self._released, LIMIT)
        return key

    def wait_until_held(self, ctxt, key, count=1):
        with self._changed:
            assert self._changed.wait_for(lambda: self._held[key] >= count, LIMIT)

    def release(self, ctxt, key):
        with self._changed:
            self._released.add(key)
            self._changed.notify_all()


class Local:
    """A peer in this process."""

    def __init__(self, url, topic):
        messaging = load()
        target = messaging.Target(topic=topic, server="peer", version="1.5")
        self._transport = transport(url)
        self._server = messaging.get_rpc_server(
            self._transport, target, [Endpoint()], executor="threading"
        )
        self._server.start()

    def stop(self):
        self._server.stop()
        self._server.wait()
        self._transport.cleanup()


class Remote:
    """A peer in a process of its own."""

    def __init__(self, url, topic):
        # not with -m, or its exceptions were of a module __main__
        code = f"import sys; from {__package__} import peers; peers.main(*sys.argv[1:])"
        command = [sys.executable, "-c", code, url, topic]
        self._process = subprocess.Popen(
            command,
            env={**os.environ, hub.ENVIRONMENT: "asyncio"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout.readline() == b"ready\n"

    def stop(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Peer:
    """A peer, and how to reach it."""

    def __init__(self, url):
        self.url = url
        self.topic = f"peer-{uuid.uuid4().hex}"
        self._served = (Remote if url.startswith("rabbit:") else Local)(url, self.topic)
        self._transports = []

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        for made in self._transports:
            made.cleanup()
        self._served.stop()

    @property
    def target(self):
        return load().Target(topic=self.topic, version="1.0")

    def transport(self, **options):
        made = transport(self.url, **options)
        self._transports.append(made)
        return made


def main(url, topic):
    logging.basicConfig(stream=sys.stderr, level=logging.CRITICAL)
    served = Local(url, topic)
    print("ready", flush=True)
    sys.stdin.read()
    served.stop()
