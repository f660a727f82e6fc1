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

"""The figures of oslo.metrics, for calls whose sending is not all of their time.

The stock client measures the block in which it sends.  When that no longer waits
for the reply, its figures would be those of the sending, and without the errors
that servers answer with.  So it is told that metrics are off, and the same is
measured around the whole call.
"""

import contextlib
import importlib
from types import SimpleNamespace
from typing import Any


def switch_off(transport: Any) -> Any:
    """Clients of this ``transport``, which is a copy, measure nothing."""
    if _metrics() is not None:
        transport.conf = _Conf(transport.conf)
    return transport


def measure(
    transport: Any, target: Any, method: str, kind: str
) -> contextlib.AbstractContextManager[None]:
    """Measure as the stock client does, if the option says so.

    :param kind: ``call`` or ``cast``.
    """
    metrics = _metrics()
    if metrics is None:
        return contextlib.nullcontext()
    measured: contextlib.AbstractContextManager[None] = metrics.measure_metrics(
        transport.conf, target=target, method=method, call_type=kind
    )
    return measured


def _metrics() -> Any:
    """What the stock client measures with; None: it does not."""
    client = importlib.import_module("oslo_messaging.rpc.client")
    found = getattr(client, "metrics", None)
    return found if hasattr(found, "measure_metrics") else None


class _Conf:
    """A configuration in which metrics are off."""

    oslo_messaging_metrics = SimpleNamespace(metrics_enabled=False)

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)
