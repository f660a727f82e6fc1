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


class CommandNotFound(ConfigurationError):
    """``oslo-asyncio run`` was asked for a program that is not there."""

    def __init__(self, command: str, similar: Iterable[str] = ()) -> None:
        self.command = command
        self.similar = tuple(similar)
        hint = f"; did you mean {' or '.join(self.similar)}?" if self.similar else ""
        super().__init__(
            f"there is no program {command!r}; name a console script of this Python "
            f"environment, the path of a script, or module:function{hint}"
        )


class CommandUnusable(ConfigurationError):
    """The program is there, and this interpreter cannot run it."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"cannot run {path}: {reason}")


class TakenTooLate(OsloAsyncioError, RuntimeError):
    """oslo.service has been imported before it could be taken over."""

    def __init__(self, loaded: Iterable[str]) -> None:
        self.loaded = tuple(loaded)
        super().__init__(
            f"imported already: {', '.join(self.loaded)}; call "
            f"oslo_asyncio.takeover.take_over() before anything imports it"
        )


class OsloServiceTooOld(ConfigurationError):
    """The installed oslo.service has no backends that could be replaced."""

    def __init__(self, installed: str, needed: str) -> None:
        self.installed = installed
        self.needed = needed
        super().__init__(
            f"oslo.service {installed} is too old: oslo-asyncio run needs "
            f"{needed} or newer; upgrade it, or move the program to oslo_asyncio"
        )


class InvalidWorkers(OsloAsyncioError, TypeError, ValueError):
    """The number of workers is no whole number above zero.

    oslo.service raises one of these two builtins, depending on the value.
    """

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


class WaitOnLoop(OsloAsyncioError, RuntimeError):
    """``wait()`` was called where it would block the loop."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(
            f"wait() for {what} was called by async code and would block the loop; "
            f"write await in its place"
        )


class WaitTimeout(OsloAsyncioError, TimeoutError):
    """``wait(timeout)`` has taken that long."""

    def __init__(self, what: str, timeout: float | None) -> None:
        self.what = what
        self.timeout = timeout
        super().__init__(f"{what} has not ended within {timeout:g} s")


class LoopingCallNotStarted(OsloAsyncioError, RuntimeError):
    """Somebody waits for a looping call that nobody has started."""

    def __init__(self, function: str) -> None:
        self.function = function
        super().__init__(
            f"the looping call of {function} was not started; call start() before "
            f"wait()"
        )


class InvalidGroupSize(OsloAsyncioError, ValueError):
    """A thread group in which nothing could run."""

    def __init__(self, size: object) -> None:
        self.size = size
        super().__init__(
            f"thread_pool_size={size!r}: the number of threads in a group must be an "
            f"int of at least 1"
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


class InvalidPeriodicTaskArg(OsloAsyncioError, TypeError):
    """``periodic_task`` was given an argument that it does not know."""

    def __init__(self, arg: str) -> None:
        self.arg = arg
        super().__init__(
            f"unexpected argument for periodic task creation: {arg}; it takes "
            f"spacing (seconds), run_immediately, enabled, external_process_ok and "
            f"name"
        )


class NativeHubRequired(OsloAsyncioError, RuntimeError):
    """The hub of this process has green threads where native ones are needed."""

    def __init__(self, what: str, hub: str, instead: str) -> None:
        self.what = what
        self.hub = hub
        self.instead = instead
        super().__init__(
            f"{what}() cannot be used on the {hub} hub, whose standard library is "
            f"green; {instead}, or set [oslo_asyncio] hub = asyncio"
        )


class NotPicklable(OsloAsyncioError, TypeError):
    """Something is to go to another process and cannot."""

    def __init__(self, what: str, reason: object) -> None:
        self.what = what
        self.reason = str(reason)
        super().__init__(
            f"{what} cannot be sent to another process: {self.reason}; keep locks, "
            f"sockets, lambdas and local classes out of it"
        )


class LibraryMissing(OsloAsyncioError, ImportError):
    """Something needs a library that is an extra, and it is not installed."""

    def __init__(self, feature: str, extra: str, reason: object) -> None:
        self.feature = feature
        self.extra = extra
        self.reason = str(reason)
        super().__init__(
            f"{feature} cannot be used: {self.reason}; install what it needs: "
            f"pip install 'oslo.asyncio[{extra}]'"
        )


class InvalidInput(OsloAsyncioError, ValueError):
    """A server was made with an argument that makes no sense."""

    def __init__(self, argument: str, value: object, reason: str) -> None:
        self.argument = argument
        self.value = value
        self.reason = reason
        super().__init__(f"{argument}={value!r} is not valid: {reason}")


class InvalidTls(OsloAsyncioError, RuntimeError):
    """The TLS options are incomplete, or what they name cannot be used."""

    def __init__(self, option: str, reason: object) -> None:
        self.option = option
        self.reason = str(reason)
        super().__init__(f"[ssl] {option} cannot be used: {self.reason}")


class ConfigNotFound(OsloAsyncioError, LookupError):
    """There is no paste.deploy config file where it should be."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"there is no paste.deploy config file {path!r}; set [DEFAULT] "
            f"api_paste_config"
        )


class PasteAppNotFound(OsloAsyncioError, LookupError):
    """The paste.deploy config file does not describe this application."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.path = path
        super().__init__(
            f"{path} has no application {name!r}, or not all that it needs; see "
            f"the sections app:{name}, composite:{name} and pipeline:{name}"
        )


class ApplicationNotStarted(OsloAsyncioError, RuntimeError):
    """An ASGI application has answered lifespan.startup with a failure."""

    def __init__(self, server: str) -> None:
        self.server = server
        super().__init__(
            f"the application of {server} did not start: its lifespan.startup "
            f"failed, see the log of uvicorn.error"
        )


class IncompleteResponse(OsloAsyncioError, RuntimeError):
    """An application has returned and not answered the request."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the application returned without {reason}")


class ClientGone(OsloAsyncioError, ConnectionResetError):
    """The client of a request has closed the connection."""

    def __init__(self, request: str) -> None:
        self.request = request
        super().__init__(f"the client of {request} has closed the connection")


class CallCancelled(OsloAsyncioError, RuntimeError):
    """An RPC call was not done when the time for a stop was over."""

    def __init__(self, method: str) -> None:
        self.method = method
        super().__init__(
            f"the call of {method} was cancelled, for its server is stopping and "
            f"graceful_shutdown_timeout is nearly over; it may have done a part"
        )


class EndpointExit(OsloAsyncioError, RuntimeError):
    """The method of an endpoint wanted to end the process."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__(
            f"the endpoint raised {error!r}; it ends the call and not the server"
        )


class ExpectedExceptionsOfSync(OsloAsyncioError, TypeError):
    """A decorator for sync methods is on an async one."""

    def __init__(self, method: str) -> None:
        self.method = method
        super().__init__(
            f"{method} is async, and oslo_messaging.expected_exceptions catches "
            f"nothing of it; write @oslo_asyncio.messaging.expected_exceptions"
        )
