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

"""oslo.service on its eventlet backend, with a green service."""

# ruff: noqa: E402

import eventlet

eventlet.monkey_patch()

from oslo_service import backend

backend.init_backend(backend.BackendType.EVENTLET)

from oslo_config import cfg
from oslo_service import service

from bench.programs import _plan

_plan.say("imported")


class Answer(service.ServiceBase):
    """The service of all contenders, in green threads."""

    def __init__(self, conf, listener) -> None:
        self.conf, self.listener = conf, listener
        self.done = self.accepting = None
        self.open = 0

    def start(self) -> None:
        self.done = eventlet.event.Event()
        if self.listener is not None:
            self.accepting = eventlet.spawn(self.accept)
        _plan.say("ready", self.conf.value)

    def accept(self) -> None:
        while True:
            connection, _address = self.listener.accept()
            self.open += 1
            eventlet.spawn_n(self.answer, connection)

    def answer(self, connection) -> None:
        try:
            data = connection.recv(1000)
            eventlet.sleep(_plan.DELAY)
            connection.sendall(data)
        except OSError:
            pass  # the client has gone
        finally:
            self.open -= 1
            connection.close()

    def stop(self) -> None:
        if self.accepting is not None:
            self.accepting.kill()
            while self.open:
                eventlet.sleep(0.002)
        if self.done is not None and not self.done.ready():
            self.done.send()

    def wait(self) -> None:
        if self.done is not None:  # the parent calls it as well
            self.done.wait()

    def reset(self) -> None:
        if self.done is not None:
            _plan.say("ready", self.conf.value)


def main() -> None:
    conf = cfg.ConfigOpts()
    conf.register_opt(cfg.IntOpt("value", mutable=True))
    files = {"default_config_files": [_plan.CONFIG], "default_config_dirs": []}
    conf([], project="bench", **files)
    launcher = service.ProcessLauncher(conf, restart_method=_plan.METHOD)
    launcher.launch_service(Answer(conf, _plan.listen()), workers=_plan.WORKERS)
    launcher.wait()


if __name__ == "__main__":
    main()
