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

"""Fetch a page, as sync code and as async code, on any hub.

    python examples/getbody.py --config-file FILE [--style sync|async|both] URL

The body goes to stdout.  With "both", the default, two services of one process
fetch the page at the same time, and what they get has to be the same.
"""

from oslo_asyncio import hub

hub.setup("getbody")

import asyncio
import dataclasses
import os
import socket
import sys
import urllib.parse

from oslo_config import cfg

from oslo_asyncio import service

CONF = cfg.CONF
OPTIONS = [
    cfg.StrOpt(
        "style", choices=["sync", "async", "both"], default="both", help="How to fetch."
    ),
    cfg.StrOpt(
        "url", positional=True, required=True, help="http://HOST[:PORT]/PATH"
    ),
]


@dataclasses.dataclass(frozen=True)
class Page:
    """Where to connect, and what to say there."""

    host: str
    port: int
    request: bytes


class GetBody(service.Service):
    """Fetches a page in its wait(), and says when it has ended."""

    def __init__(self, page, ended):
        super().__init__()
        self.page = page
        self.ended = ended
        self.answer = b""
        self.error = None


class SyncGetBody(GetBody):
    """Straight-line sync code: nothing in it knows about a hub."""

    def wait(self):
        try:
            self.answer = self.fetch()
        except OSError as error:
            self.error = error
        self.ended(self)

    def fetch(self):
        parts = []
        with socket.socket() as sock:
            sock.connect((socket.gethostbyname(self.page.host), self.page.port))
            sock.sendall(self.page.request)
            while part := sock.recv(65536):
                parts.append(part)
        return b"".join(parts)


class AsyncGetBody(GetBody):
    """The same in async code."""

    async def wait(self):
        try:
            self.answer = await self.fetch()
        except OSError as error:
            self.error = error
        self.ended(self)

    async def fetch(self):
        reader, writer = await asyncio.open_connection(self.page.host, self.page.port)
        writer.write(self.page.request)
        answer = await reader.read()
        writer.close()
        return answer


STYLES = {
    "sync": [SyncGetBody],
    "async": [AsyncGetBody],
    "both": [SyncGetBody, AsyncGetBody],
}


def parse(text):
    """The page that a URL stands for."""
    try:
        url = urllib.parse.urlsplit(text)
        host, port = url.hostname, url.port or 80
        if url.scheme != "http" or not host or " " in text:
            raise ValueError
        path = url._replace(scheme="", netloc="", fragment="").geturl() or "/"
        host.encode("idna")  # too long a name cannot be looked up
        request = f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n"
        return Page(host, port, request.encode("ascii"))
    except ValueError:
        sys.exit(f"getbody: {text!r} is not of the form http://HOST[:PORT]/PATH")


def body_of(fetcher):
    """What has come after the headers."""
    if fetcher.error is not None:
        number = fetcher.error.errno or 0  # below zero: from the resolver
        reason = os.strerror(number) if number > 0 else fetcher.error.strerror
        sys.exit(f"getbody: cannot fetch {CONF.url}: {reason or fetcher.error}")
    head, _, body = fetcher.answer.partition(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0].decode("ascii", "replace")
    if status.split()[1:2] != ["200"]:
        sys.exit(f"getbody: the answer to {CONF.url} is no page: {status!r}")
    return body


def main():
    CONF.register_cli_opts(OPTIONS)
    CONF(sys.argv[1:], project="getbody")
    page = parse(CONF.url)
    launcher = service.ServiceLauncher(CONF)
    running = []

    def ended(fetcher):
        running.remove(fetcher)
        if not running:
            launcher.stop()

    fetchers = [make(page, ended) for make in STYLES[CONF.style]]
    running.extend(fetchers)
    for fetcher in fetchers:
        launcher.launch_service(fetcher)
    status = launcher.wait()
    bodies = {body_of(fetcher) for fetcher in fetchers}
    if len(bodies) > 1:
        sys.exit(f"getbody: two fetches of {CONF.url} brought different bodies")
    # with PYTHONUNBUFFERED stdout writes a part, and leaves the rest to its caller
    with open(sys.stdout.fileno(), "wb", closefd=False) as stdout:
        stdout.write(bodies.pop())
    return status


if __name__ == "__main__":
    sys.exit(main())
