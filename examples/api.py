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
#
# ruff: noqa: E402

"""A WSGI application, served by several workers.

    python examples/api.py --config-file api.conf
    curl http://localhost:8080/ada
"""

from oslo_asyncio import hub

hub.setup("api")

import sys
import time

from oslo_config import cfg
from oslo_log import log

from oslo_asyncio import service
from oslo_asyncio import wsgi

CONF = cfg.CONF
OPTIONS = [
    cfg.PortOpt("port", default=8080, help="Where to listen; 0: anywhere."),
    cfg.IntOpt("workers", default=2, min=1, help="How many processes."),
]


def greet(environ, start_response):
    """Sync code: it may block, for it runs beside the loop."""
    time.sleep(0.01)  # stands for a query to a database
    name = environ["PATH_INFO"].strip("/") or "whoever you are"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"hello {name}\n".encode()]


def main():
    log.register_options(CONF)
    CONF.register_opts(OPTIONS)
    CONF(sys.argv[1:], project="api")
    log.setup(CONF, "api")
    server = wsgi.Server(CONF, "api", greet, host="localhost", port=CONF.port)
    print(f"listening on http://localhost:{server.port}/", flush=True)
    return service.launch(CONF, server, workers=CONF.workers).wait()


if __name__ == "__main__":
    sys.exit(main())
