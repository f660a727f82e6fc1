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

"""WebOb requests and routes by URL.  Importing this imports both libraries."""

from typing import Any

import routes.middleware
import webob
import webob.dec
import webob.exc


class Request(webob.Request):  # type: ignore[misc]
    """A WebOb request, to subclass."""


class Router:
    """A WSGI application that hands each request to the one of its route.

    :param mapper: a ``routes.Mapper`` whose routes have a ``controller``: a
        WSGI application.  A request without a route is answered with status
        404.

    >>> import routes
    >>> import webob
    >>> from oslo_asyncio import wsgi
    >>> def hello(environ, start_response):
    ...     start_response("200 OK", [("Content-Type", "text/plain")])
    ...     _positional, matched = environ["wsgiorg.routing_args"]
    ...     return [f"hello {matched['name']}".encode()]
    >>> mapper = routes.Mapper()
    >>> mapper.connect(None, "/hello/{name}", controller=hello)
    >>> router = wsgi.Router(mapper)
    >>> webob.Request.blank("/hello/ada").get_response(router).body
    b'hello ada'
    """

    def __init__(self, mapper: Any) -> None:
        self.map = mapper
        self._router = routes.middleware.RoutesMiddleware(self._dispatch, self.map)

    @webob.dec.wsgify(RequestClass=Request)  # type: ignore[untyped-decorator]
    def __call__(self, req: Request) -> Any:
        """Hand the request to the application of its route."""
        return self._router

    @staticmethod
    @webob.dec.wsgify(RequestClass=Request)  # type: ignore[untyped-decorator]
    def _dispatch(req: Request) -> Any:
        _positional, matched = req.environ["wsgiorg.routing_args"]
        return matched["controller"] if matched else webob.exc.HTTPNotFound()
