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

"""The service on eventlet: synchronous code in green threads."""

import os
import socket
import time
from typing import Any

import eventlet
import eventlet.event

from bench.faults.contenders import _plan
from bench.faults.contenders._plan import PLAN

_DRAIN_SECONDS = 1.0


class Service:
    """Answers each connection that sends a line with its pid.

    :param listener: made before the fork; each process serves a duplicate.
    :param conf: the configuration.
    """

    def __init__(self, listener: socket.socket, conf: Any) -> None:
        self.listener = listener
        self.conf = conf
        self.begun = False
        self.acceptor: Any = None
        self.open = 0
        self.done = eventlet.event.Event()

    def start(self) -> None:
        self.begun = True
        if self.done.ready():
            # started anew; the first time, oslo.service waits for it already
            self.done = eventlet.event.Event()
        _plan.begin()
        time.sleep(PLAN.start_seconds)
        # by number, since the listener may be a socket that is not green
        self.sock = socket.socket(fileno=os.dup(self.listener.fileno()))
        self.acceptor = eventlet.spawn(self._accept)
        _plan.tell("ready", self.conf.value)

    def wait(self) -> None:
        self.done.wait()

    def stop(self) -> None:
        # oslo.service calls it in the launcher's process, too
        if self.begun:
            _plan.tell("stop")
        if self.acceptor is not None:
            self._drain()
        if PLAN.close_listener:
            self.listener.close()
        if self.begun:
            self._work_on()
        if not self.done.ready():
            self.done.send()

    def reset(self) -> None:
        _plan.tell("reset", self.conf.value)

    def _drain(self) -> None:
        self.acceptor.kill()
        self.acceptor = None
        self.sock.close()
        deadline = time.monotonic() + _DRAIN_SECONDS
        while self.open and time.monotonic() < deadline:
            time.sleep(0.01)

    def _work_on(self) -> None:
        if PLAN.stop_hangs:
            _plan.hang()
        time.sleep(PLAN.stop_seconds)
        _plan.tell("stopped")

    def _accept(self) -> None:
        while True:
            sock, _address = self.sock.accept()
            self.open += 1
            eventlet.spawn(self._answer, sock)

    def _answer(self, sock: socket.socket) -> None:
        try:
            if sock.recv(100):
                sock.sendall(_plan.answer())
        except OSError:
            pass  # the client has gone
        finally:
            sock.close()
            self.open -= 1
