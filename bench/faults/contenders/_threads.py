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

"""The service on threads: blocking calls and a selector."""

import os
import selectors
import socket
import threading
import time
from typing import Any

from bench.faults.contenders import _plan
from bench.faults.contenders._plan import PLAN

_DRAIN_SECONDS = 1.0


class Service:
    """Answers each connection that sends a line with its pid.

    The connections have a thread of their own, so that stop() may come from
    any thread, even from a signal handler that interrupts wait().

    :param listener: made before the fork; each process serves a duplicate.
    :param conf: the configuration.
    """

    def __init__(self, listener: socket.socket, conf: Any) -> None:
        self.listener = listener
        self.conf = conf
        self.begun = False
        self.serving: Serving | None = None
        self.done = threading.Event()

    def start(self) -> None:
        self.begun = True
        self.done.clear()
        _plan.begin()
        time.sleep(PLAN.start_seconds)
        self.serving = Serving(self.listener)
        _plan.tell("ready", self.conf.value)

    def wait(self) -> None:
        self.done.wait()

    def stop(self) -> None:
        if self.begun:
            _plan.tell("stop")
        if self.serving is not None:
            self.serving.stop()
        if PLAN.close_listener:
            self.listener.close()
        if self.begun:
            self._work_on()
        self.done.set()

    def reset(self) -> None:
        _plan.tell("reset", self.conf.value)

    def _work_on(self) -> None:
        if PLAN.stop_hangs:
            _plan.hang()
        time.sleep(PLAN.stop_seconds)
        _plan.tell("stopped")


class Serving:
    """A thread that accepts and answers until it is told to stop."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener.dup()
        self.listener.setblocking(False)
        self.woken, self.wake = os.pipe()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.woken, selectors.EVENT_READ)
        self.open: set[socket.socket] = set()
        self.stopped = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Accept no more, answer who has been accepted, and return."""
        os.write(self.wake, b"x")
        self.stopped.wait()

    def _run(self) -> None:
        while self._turn(None):
            pass
        self.selector.unregister(self.woken)
        self.selector.unregister(self.listener)
        self.listener.close()
        deadline = time.monotonic() + _DRAIN_SECONDS
        while self.open and time.monotonic() < deadline:
            self._turn(0.1)
        self.stopped.set()

    def _turn(self, seconds: float | None) -> bool:
        for key, _events in self.selector.select(seconds):
            if key.fileobj == self.woken:
                return False
            if key.fileobj is self.listener:
                self._accept()
            else:
                self._answer(key.data)
        return True

    def _accept(self) -> None:
        try:
            sock, _address = self.listener.accept()
        except BlockingIOError:
            return  # another worker was faster
        self.open.add(sock)
        self.selector.register(sock, selectors.EVENT_READ, data=sock)

    def _answer(self, sock: socket.socket) -> None:
        try:
            if sock.recv(100):
                sock.sendall(_plan.answer())
        except OSError:
            pass  # the client has gone
        self.selector.unregister(sock)
        self.open.discard(sock)
        sock.close()
