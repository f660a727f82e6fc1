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

"""Signals that the application handles next to its launcher."""

from collections.abc import Callable
from collections.abc import Iterable
import logging
import signal
from types import FrameType
from typing import Any

from oslo_asyncio import _singleton
from oslo_asyncio._worker import handlers

LOG = logging.getLogger(__name__)


class SignalExit(SystemExit):
    """The process ends because of a signal.

    :param signo: the number of the signal.
    :param exccode: the exit status.
    """

    def __init__(self, signo: int, exccode: int = 1) -> None:
        super().__init__(exccode)
        self.signo = signo


class SignalHandler(metaclass=_singleton.Singleton):
    """Adds handlers to signals; the launcher's own go on.

    There is one in each process: ``SignalHandler()`` is always the same object.
    A handler is called with the number of the signal and None.  It may be
    ``def`` (it runs beside the loop) or ``async def`` (on it); those of one
    signal run one after the other, the last one added first, and one that fails
    is logged and keeps no other from running.

    What was added before the launcher runs is heard in each worker, and so is
    what a service adds later, in its own worker; both last through a reload.
    Handlers of SIGTERM are called once, before stop() of the services: it waits
    for them for half of ``graceful_shutdown_timeout``, and then runs beside them.

    In the parent of workers, and before the launcher runs, handlers are called
    as Python calls its own: in the main thread, with the frame, whatever it was
    doing. Signals of the launcher (SIGTERM, SIGINT, SIGHUP, SIGTTIN, SIGTTOU) and
    ``async def`` handlers are for workers only.

    :ivar signals_to_name: the names of the signals by number.

    >>> from oslo_asyncio import service
    >>> class Agent(service.Service):
    ...     def start(self):
    ...         service.SignalHandler().add_handler("SIGTERM", self.sign_off)
    ...     def sign_off(self, signo, frame):
    ...         print("off the list, and then stop() is called")
    """

    def __init__(self) -> None:
        # under the names that oslo.service gives them, for its users' tests
        self._signals_by_name = dict(signal.Signals.__members__)
        self._signal_handlers = handlers.added
        self.signals_to_name = {
            number: number.name for number in self._signals_by_name.values()
        }

    def add_handler(
        self, sig: str, handler: Callable[[int, FrameType | None], Any]
    ) -> None:
        """Call ``handler`` when this signal comes, too.

        From any thread.  When the call returns, the signal is heard.  A handler
        that was added before is not called twice.

        :param sig: the name, such as "SIGUSR1".  One that this system does not
            have is left alone, with a line in the log.
        :param handler: ``def`` or ``async def``.
        """
        if self.is_signal_supported(sig):
            handlers.add(self._signals_by_name[sig], handler)
        else:
            LOG.warning("There is no signal %s here: nothing will come of it", sig)

    def add_handlers(
        self, signals: Iterable[str], handler: Callable[[int, FrameType | None], Any]
    ) -> None:
        """The same for several signals.

        :param signals: their names.
        :param handler: as for :meth:`add_handler`.
        """
        for sig in signals:
            self.add_handler(sig, handler)

    def clear(self) -> None:
        """Forget all handlers that were added.  The launcher's own stay."""
        handlers.clear()

    def is_signal_supported(self, sig_name: str) -> bool:
        """Whether this system has a signal of this name.

        :param sig_name: such as "SIGUSR1".
        """
        return sig_name in self._signals_by_name

    def _handle_signal(self, signo: int, frame: FrameType | None) -> None:
        handlers.call_here(signo, frame)
