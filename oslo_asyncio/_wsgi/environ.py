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

"""What a WSGI application is told of a request."""

from collections.abc import Iterable
from collections.abc import Mapping
import sys
from typing import Any
from urllib.parse import unquote_to_bytes

from oslo_asyncio import _identity

#: headers that have a name of their own in the environ
_PLAIN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


def make(scope: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """The environ of PEP 3333 for one request.

    :param scope: the request, as ASGI describes it.
    :param body: a file to read the request's body from.
    """
    name, port = scope["server"] or ("localhost", None)
    address, client_port = scope["client"] or ("", "")
    path = path_of(scope["raw_path"])
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": name,
        "SERVER_PORT": str(port or (443 if scope["scheme"] == "https" else 80)),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REMOTE_ADDR": address,
        "REMOTE_PORT": str(client_port),
        "CONTENT_TYPE": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.input_terminated": True,  # a chunked body has an end as well
        "wsgi.errors": sys.stderr,
        # as eventlet.wsgi says it: requests overlap, on every hub
        "wsgi.multithread": True,
        "wsgi.multiprocess": _identity.worker_id() is not None,
        "wsgi.run_once": False,
    }
    _add_headers(environ, scope["headers"])
    return environ


def path_of(target: bytes) -> bytes:
    """The path in a request's target, which may be a whole URL (RFC 9112, 3.2)."""
    if target.startswith(b"/") or b"://" not in target:
        return target
    _scheme, _, rest = target.partition(b"://")
    _host, slash, path = rest.partition(b"/")
    return slash + path or b"/"


def _add_headers(
    environ: dict[str, Any], headers: Iterable[tuple[bytes, bytes]]
) -> None:
    for name, value in headers:
        if b"_" in name:
            continue  # it could pass for another one, which a proxy has checked
        key = _PLAIN.get(name) or "HTTP_" + name.decode().upper().replace("-", "_")
        text = value.decode("latin-1")
        if environ.get(key):
            text = f"{environ[key]}{'; ' if name == b'cookie' else ','}{text}"
        environ[key] = text
