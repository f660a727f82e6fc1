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

"""Everything that this library raises on purpose.

Each error carries the data it was made from and builds its own sentence:
what happened, to what, and what to do about it.
"""

from collections.abc import Iterable
import socket


class OsloAsyncioError(Exception):
    """Base of every error of this library.

    >>> from oslo_asyncio import exceptions
    >>> try:
    ...     raise exceptions.LoopNotRunning("run_async")
    ... except exceptions.OsloAsyncioError as error:
    ...     print(error)
    run_async() needs a running service loop in this process; call it from \
code that a launched service runs
    """


class ConfigurationError(OsloAsyncioError, SystemExit):
    """Something that an operator wrote, or did not install, is wrong.

    It is a :class:`SystemExit` as well: where nobody catches it, the program
    ends with the sentence on stderr and status 1.  A typing error in a config
    file is not a bug, and a traceback would bury the one line that helps.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.code = sentence


class HubNotFound(ConfigurationError):
    """The configured hub is not among the installed ones."""

    def __init__(self, name: str, installed: Iterable[str], source: str) -> None:
        self.name = name
        self.installed = tuple(sorted(installed))
        self.source = source
        super().__init__(
            f"hub {name!r} is not installed; installed: "
            f"{', '.join(self.installed) or 'none'}; set {source}"
        )


class HubUnavailable(ConfigurationError):
    """The hub is installed, and this process cannot use it."""

    def __init__(self, name: str, reason: str, remedy: str) -> None:
        self.name = name
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"hub {name!r} cannot be used: {reason}; {remedy}")


class ResolverNotFound(ConfigurationError):
    """The configured resolver is not installed, or its library is missing."""

    def __init__(self, name: str, installed: Iterable[str], reason: str = "") -> None:
        self.name = name
        self.installed = tuple(sorted(installed))
        self.reason = reason
        super().__init__(
            f"resolver {name!r} is not "
            f"{'usable: ' + reason if reason else 'installed'}; "
            f"installed: {', '.join(self.installed) or 'none'}; "
            f"set [oslo_asyncio] resolver"
        )


class InvalidConfigFile(ConfigurationError):
    """A config file is missing or cannot be parsed."""

    def __init__(self, reason: object) -> None:
        self.reason = str(reason)
        super().__init__(f"cannot read the configuration: {self.reason}")


class InvalidOption(ConfigurationError):
    """A configured value is outside what its option allows."""

    def __init__(self, option: str, group: str, reason: object) -> None:
        self.option = option
        self.group = group
        self.reason = str(reason)
        super().__init__(f"[{group}] {option} is not valid: {self.reason}")


class InvalidEnvironment(ConfigurationError):
    """An environment variable that systemd sets makes no sense."""

    def __init__(self, variable: str, value: str, reason: str) -> None:
        self.variable = variable
        self.value = value
        self.reason = reason
        super().__init__(
            f"{variable}={value!r} in the environment is not valid: {reason}; "
            f"only systemd should set it"
        )


class InvalidWorkers(OsloAsyncioError, ValueError):
    """The number of workers is no whole number above zero."""

    def __init__(self, workers: object) -> None:
        self.workers = workers
        super().__init__(
            f"workers={workers!r}: the number of workers must be an int of at "
            f"least 1, or None for one worker"
        )


class InvalidRestartMethod(OsloAsyncioError, ValueError):
    """The restart method has no meaning."""

    def __init__(self, method: object, known: Iterable[str]) -> None:
        self.method = method
        self.known = tuple(known)
        super().__init__(
            f"restart_method={method!r} is unknown; use one of "
            f"{', '.join(repr(name) for name in self.known)}"
        )


class NotAService(OsloAsyncioError, TypeError):
    """What was handed to a launcher is no service."""

    def __init__(self, service: object) -> None:
        self.service = service
        made = "the class itself, not an instance: add ()"
        what = made if isinstance(service, type) else f"a {type(service).__name__}"
        super().__init__(
            f"{service!r} is {what}; a launcher takes an instance of a subclass "
            f"of oslo_asyncio.service.ServiceBase"
        )


class OneProcessOnly(OsloAsyncioError, ValueError):
    """A launcher that does not fork was asked for several workers."""

    def __init__(self, launcher: str, workers: object) -> None:
        self.launcher = launcher
        self.workers = workers
        super().__init__(
            f"workers={workers!r}: {launcher} runs services in one process; use "
            f"ProcessLauncher, or launch() with workers"
        )


class LaunchedTooLate(OsloAsyncioError, RuntimeError):
    """A service came when its launcher was running already."""

    def __init__(self, service: object) -> None:
        self.service = service
        super().__init__(
            f"{type(service).__name__} was launched after wait() had begun; call "
            f"launch_service() for every service first, and then wait()"
        )


class ListenError(OsloAsyncioError, OSError):
    """A listening socket cannot be made."""

    def __init__(self, address: str, reason: OSError) -> None:
        self.address = address
        self.reason = reason
        super().__init__(
            reason.errno, f"cannot listen on {address}: {reason.strerror or reason}"
        )

    def __str__(self) -> str:
        return str(self.strerror)


class HubNotChosen(OsloAsyncioError, RuntimeError):
    """No hub has been set up or loaded in this process."""

    def __init__(self) -> None:
        super().__init__(
            "no hub has been chosen in this process; call oslo_asyncio.hub.setup() "
            "first in the program, or oslo_asyncio.hub.load(conf)"
        )


class LoopNotRunning(OsloAsyncioError, RuntimeError):
    """Sync code wants the loop of a service, and none runs."""

    def __init__(self, caller: str) -> None:
        self.caller = caller
        super().__init__(
            f"{caller}() needs a running service loop in this process; call it "
            f"from code that a launched service runs"
        )


class OnLoopThread(OsloAsyncioError, RuntimeError):
    """``run_async`` was called where it would wait for itself."""

    def __init__(self, function: str) -> None:
        self.function = function
        super().__init__(
            f"run_async({function}) was called on the loop's own thread and would "
            f"wait for itself; write: await {function}(...)"
        )


class CoroutineExpected(OsloAsyncioError, TypeError):
    """``run_async`` was given something else than a coroutine function."""

    def __init__(self, function: str, returned: object) -> None:
        self.function = function
        self.returned = returned
        super().__init__(
            f"run_async({function}) takes an async function and its arguments, "
            f"and {function} returned {type(returned).__name__}; call sync code "
            f"directly, and write run_async(func, arg), not run_async(func(arg))"
        )


class LoopStopped(OsloAsyncioError, RuntimeError):
    """The loop stopped before the coroutine was done."""

    def __init__(self, function: str) -> None:
        self.function = function
        super().__init__(f"{function} was cancelled, for the service is stopping")


class PoolNotFound(OsloAsyncioError, LookupError):
    """There is no pool of this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(
            f"there is no pool {name!r}; known: {', '.join(self.known)}; add it "
            f"with oslo_asyncio.executor.add_pool({name!r}, max_threads=...)"
        )


class LookupTimeout(OsloAsyncioError, socket.gaierror):
    """A name look-up took longer than its deadline."""

    def __init__(self, host: object, seconds: float) -> None:
        self.host = host
        self.seconds = seconds
        super().__init__(
            socket.EAI_AGAIN,
            f"the look-up of {host!r} took longer than {seconds:g} s; see "
            f"[oslo_asyncio] resolver_timeout",
        )
