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
# ruff: noqa: E402, I001

"""The API: HTTP in, RPC out.

    python examples/volumes/api.py --config-file volumes.conf
    curl -X POST 'http://localhost:8080/volumes/ada?size=3'
"""

from oslo_asyncio import hub

hub.setup("volumes")

import json
import sys
import urllib.parse

import settings  # before oslo_messaging
from oslo_asyncio import service
from oslo_asyncio import wsgi
from oslo_context import context
import oslo_messaging


class Application:
    """An ASGI application; a project would use a framework here."""

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        elif scope["type"] == "http":
            status, body = await self.answer(scope)
            headers = [(b"content-type", b"application/json")]
            start = {"type": "http.response.start", "status": status}
            await send({**start, "headers": headers})
            body = json.dumps(body).encode() + b"\n"
            await send({"type": "http.response.body", "body": body})

    async def live(self, receive, send):
        """Once in each worker process, before the first request and after the last."""
        await receive()
        self.volumes = settings.client()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def answer(self, scope):
        ctxt = context.RequestContext()  # with a new request id
        settings.LOG.info("%s %s", scope["method"], scope["path"])
        try:
            return await self.route(ctxt, scope)
        except ValueError as error:
            return 400, {"error": str(error).splitlines()[0]}
        except oslo_messaging.MessagingTimeout:
            return 504, {"error": "no worker has answered"}

    async def route(self, ctxt, scope):
        match scope["method"], scope["path"].strip("/").split("/"):
            case "POST", ["volumes", name]:
                query = urllib.parse.parse_qs(scope["query_string"].decode())
                size = int(query.get("size", ["1"])[0])
                call = self.volumes.call(ctxt, "create", name=name, size=size)
                return 201, await call
            case "GET", ["volumes"]:
                return 200, await self.volumes.call(ctxt, "list")
            case "GET", ["usage"]:
                return 200, await self.volumes.call(ctxt, "usage")
        return 404, {"error": "no such page"}


def server():
    """The service; it listens as soon as it is made, so its workers share a port."""
    made = wsgi.Server(
        settings.CONF,
        "api",
        Application(),
        host="localhost",
        port=settings.CONF.port,
        interface="asgi",
    )
    settings.LOG.info("Listening on http://localhost:%s/", made.port)
    return made


def main():
    settings.read()
    launcher = service.launch(
        settings.CONF,
        server(),
        workers=settings.CONF.api_workers,
        restart_method="mutate",
    )
    return launcher.wait()


if __name__ == "__main__":
    sys.exit(main())
