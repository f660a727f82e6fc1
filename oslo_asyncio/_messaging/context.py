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

"""The request context of oslo.context, kept per call and not per thread.

oslo.context keeps the current context in a ``threading.local``.  Coroutines
share one thread, and each would see the context of whoever set it last.  Here it
is kept in a context variable: a thread still has its own, a task has its own as
well, and what a task starts (other tasks, ``hub.run_sync``, pools) inherits it.
"""

import contextvars
import importlib
import logging
from typing import Any

LOG = logging.getLogger(__name__)

_current: contextvars.ContextVar[Any] = contextvars.ContextVar("oslo_asyncio_request")
_NONE = object()


class RequestStore:
    """Stands in for the ``threading.local`` of ``oslo_context.context``.

    >>> from oslo_asyncio._messaging import context
    >>> store = context.RequestStore()
    >>> store.context = "a request"
    >>> store.context
    'a request'
    >>> del store.context
    >>> hasattr(store, "context")
    False
    """

    @property
    def context(self) -> Any:
        found = _current.get(_NONE)
        if found is _NONE:
            raise AttributeError("context")
        return found

    @context.setter
    def context(self, value: Any) -> None:
        _current.set(value)

    @context.deleter
    def context(self) -> None:
        if _current.get(_NONE) is _NONE:
            raise AttributeError("context")
        _current.set(_NONE)


def install() -> None:
    """Let oslo.context keep its current context per call.  Cheap to repeat."""
    try:
        module: Any = importlib.import_module("oslo_context.context")
    except ModuleNotFoundError:
        return  # then nobody asks for it
    found = getattr(module, "_request_store", None)
    if found is None:
        LOG.warning(
            "This oslo.context is not known to oslo.asyncio: get_current() does not "
            "tell concurrent coroutines apart"
        )
    elif not isinstance(found, RequestStore):
        module._request_store = store = RequestStore()
        if hasattr(found, "context"):
            store.context = found.context


def adopt(seen: contextvars.Context) -> None:
    """Set here what was set in ``seen``, which is a changed copy of this context."""
    for variable, value in seen.items():
        if variable.get(_NONE) is not value:
            variable.set(value)
