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

"""A peer that a workflow calls, and that answers when the test says so."""

import contextlib
from http import server
import queue
import threading

from oslo_asyncio.tests.openstack import service


class Request:
    """One that has come, and that waits."""

    def __init__(self) -> None:
        self._answer = threading.Event()
        self.wait = self._answer.wait

    def answer(self) -> None:
        """Let whoever asks go on."""
        self._answer.set()


class Peer:
    """An HTTP server in the process of the tests."""

    def __init__(self) -> None:
        self._arrived: queue.Queue[Request] = queue.Queue()
        self._all: list[Request] = []
        peer = self

        class Handler(server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                peer._wait_for_the_test()
                with contextlib.suppress(OSError):  # of one who was killed meanwhile
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *args) -> None:
                pass

        self._server = server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def _wait_for_the_test(self) -> None:
        request = Request()
        self._all.append(request)
        self._arrived.put(request)
        request.wait()

    def arrival(self) -> Request:
        """The next request that comes."""
        return self._arrived.get(timeout=service.LIMIT)

    def close(self) -> None:
        """Answer whoever waits, and end."""
        for each in self._all:
            each.answer()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
