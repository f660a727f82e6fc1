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

"""The limit: fork, a plain asyncio loop in each worker, nothing else.

It replaces a worker that dies, and on SIGHUP all of them at once.  It keeps
hardly any promise: that is what the promises of others cost.
"""

import os
import select
import signal
import sys

from bench.programs import _plan

if "with-libraries" in sys.argv:
    import oslo_config.cfg  # noqa: F401
    import stevedore  # noqa: F401

import asyncio

from bench.programs import _answer

_plan.say("imported")


def work(listener) -> None:
    """One worker, from its fork to its end."""

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        server = _answer.Server(listener)
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        if _plan.METHOD == "mutate":
            again = lambda: _plan.say("ready", _plan.configured())  # noqa: E731
            loop.add_signal_handler(signal.SIGHUP, again)
        await server.start()
        _plan.say("ready", _plan.configured())
        await stop.wait()
        await server.stop()

    asyncio.run(main())


class Parent:
    """Forks the workers and waits for what happens to them."""

    def __init__(self) -> None:
        self.listener = _plan.listen()
        self.poll = select.epoll()
        self.workers: dict[int, int] = {}
        self.leaving: dict[int, int] = {}
        self.stopping = False
        self.reading, writing = os.pipe()
        os.set_blocking(writing, False)
        self.poll.register(self.reading, select.EPOLLIN)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_args: None)
        signal.set_wakeup_fd(writing)

    def fork(self) -> None:
        pid = os.fork()
        if not pid:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            self.poll.close()
            try:
                work(self.listener)
            finally:
                os._exit(0)
        pidfd = os.pidfd_open(pid)
        self.workers[pidfd] = pid
        self.poll.register(pidfd, select.EPOLLIN)

    def run(self) -> None:
        for _each in range(_plan.WORKERS):
            self.fork()
        while self.workers or self.leaving:
            for source, _mask in self.poll.poll():
                if source == self.reading:
                    for number in os.read(source, 100):
                        self.signalled(number)
                else:
                    self.ended(source)

    def signalled(self, number: int) -> None:
        if number == signal.SIGHUP and _plan.METHOD == "mutate":
            for pid in self.workers.values():
                os.kill(pid, signal.SIGHUP)
            return
        old, self.workers = self.workers, {}
        self.leaving |= old
        self.stopping = number == signal.SIGTERM
        for pid in old.values():
            if not self.stopping:
                self.fork()
            os.kill(pid, signal.SIGTERM)

    def ended(self, pidfd: int) -> None:
        self.poll.unregister(pidfd)
        again = pidfd in self.workers
        os.waitpid(self.workers.pop(pidfd, 0) or self.leaving.pop(pidfd), 0)
        os.close(pidfd)
        if again and not self.stopping:
            self.fork()


if __name__ == "__main__":
    Parent().run()
