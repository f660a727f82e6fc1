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

"""What the options say about serving, read once per start."""

from collections.abc import Mapping
import dataclasses
import logging
from typing import Any

from oslo_config import cfg

from oslo_asyncio import exceptions

#: bytes of a URL, unless the server has a max_url_len; eventlet's number
_URL_LENGTH = 8192

#: bytes of a request line and all headers together; eventlet's number as well
_HEAD_LENGTH = 65536

_SAMPLE = {
    "client_ip": "127.0.0.1",
    "date_time": "01/Jan/2026 00:00:00",
    "request_line": "GET / HTTP/1.1",
    "status_code": 200,
    "body_length": 0,
    "wall_seconds": 0.1,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """How one run of a server behaves.

    :ivar name: of the server, for logs.
    :ivar logger: where requests are logged.
    :ivar log_format: of the line for each of them.
    :ivar pool_size: requests that run at the same time.
    :ivar keep_alive: whether a connection takes a second request.
    :ivar timeout: seconds to wait for a client; None: no limit.
    :ivar header_line: bytes that one header may have.
    :ivar url_length: bytes that a URL may have.
    :ivar debug: whether clients are sent tracebacks.
    """

    name: str
    logger: logging.Logger
    log_format: str
    pool_size: int
    keep_alive: bool
    timeout: float | None
    header_line: int
    url_length: int
    debug: bool

    @property
    def head_length(self) -> int:
        """Bytes that a request's line and headers may have together."""
        return max(_HEAD_LENGTH, self.url_length + self.header_line)

    def refusal(self, scope: Mapping[str, Any]) -> int | None:
        """The status for a request that is too long, or None."""
        query = scope["query_string"]
        if len(scope["raw_path"]) + len(query) + bool(query) > self.url_length:
            return 414
        for name, value in scope["headers"]:
            if len(name) + len(value) + len(": ") > self.header_line:
                return 431
        return None


def read(
    conf: cfg.ConfigOpts,
    name: str,
    logger: logging.Logger,
    pool_size: int | None,
    max_url_len: int | None,
) -> Settings:
    """The settings that ``conf`` and a server's arguments make.

    :raises InvalidOption: the log format cannot be used.
    """
    try:
        conf.wsgi_log_format % _SAMPLE
    except (KeyError, TypeError, ValueError) as error:
        raise exceptions.InvalidOption(
            "wsgi_log_format", "DEFAULT", f"{conf.wsgi_log_format!r}: {error!r}"
        ) from None
    return Settings(
        name=name,
        logger=logger,
        log_format=conf.wsgi_log_format,
        pool_size=pool_size or conf.wsgi_default_pool_size,
        keep_alive=conf.wsgi_keep_alive,
        timeout=float(conf.client_socket_timeout) or None,
        header_line=conf.max_header_line,
        url_length=max_url_len or _URL_LENGTH,
        debug=conf.wsgi_server_debug,
    )
