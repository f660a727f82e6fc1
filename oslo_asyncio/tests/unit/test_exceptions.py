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

"""Every error builds its sentence from its data, and says what to do."""

import socket
import subprocess
import sys

import pytest

from oslo_asyncio import exceptions

SENTENCES = [
    (
        exceptions.HubNotFound("gevent", ["eventlet", "asyncio"], "[oslo_asyncio] hub"),
        "hub 'gevent' is not installed; installed: asyncio, eventlet; "
        "set [oslo_asyncio] hub",
    ),
    (
        exceptions.HubUnavailable("uvloop", "no module", "install it"),
        "hub 'uvloop' cannot be used: no module; install it",
    ),
    (
        exceptions.ResolverNotFound("c", ["threads"]),
        "resolver 'c' is not installed; installed: threads; "
        "set [oslo_asyncio] resolver",
    ),
    (
        exceptions.ResolverNotFound("aiodns", ["aiodns", "threads"], "no module"),
        "resolver 'aiodns' is not usable: no module; installed: aiodns, threads; "
        "set [oslo_asyncio] resolver",
    ),
    (
        exceptions.InvalidConfigFile("it is gone"),
        "cannot read the configuration: it is gone",
    ),
    (
        exceptions.InvalidOption("hub", "oslo_asyncio", "why"),
        "[oslo_asyncio] hub is not valid: why",
    ),
    (
        exceptions.InvalidEnvironment("LISTEN_FDS", "x", "it has to be a number"),
        "LISTEN_FDS='x' in the environment is not valid: it has to be a number; "
        "only systemd should set it",
    ),
    (
        exceptions.CommandNotFound("nova"),
        "there is no program 'nova'; name a console script of this Python "
        "environment, the path of a script, or module:function",
    ),
    (
        exceptions.CommandNotFound("nova", ["nova-api", "nova-manage"]),
        "there is no program 'nova'; name a console script of this Python "
        "environment, the path of a script, or module:function; did you mean "
        "nova-api or nova-manage?",
    ),
    (
        exceptions.CommandUnusable("/bin/ls", "it is no Python script"),
        "cannot run /bin/ls: it is no Python script",
    ),
    (
        exceptions.TakenTooLate(["oslo_service.service", "oslo_service.wsgi"]),
        "imported already: oslo_service.service, oslo_service.wsgi; call "
        "oslo_asyncio.takeover.take_over() before anything imports it",
    ),
    (
        exceptions.OsloServiceTooOld("4.2.0", "4.3.0"),
        "oslo.service 4.2.0 is too old: oslo-asyncio run needs 4.3.0 or newer; "
        "upgrade it, or move the program to oslo_asyncio",
    ),
    (
        exceptions.InvalidWorkers("2"),
        "workers='2': the number of workers must be an int of at least 1, or None "
        "for one worker",
    ),
    (
        exceptions.InvalidRestartMethod("again", ("reload", "mutate")),
        "restart_method='again' is unknown; use one of 'reload', 'mutate'",
    ),
    (
        exceptions.NotAService(1),
        "1 is a int; a launcher takes an instance of a subclass of "
        "oslo_asyncio.service.ServiceBase",
    ),
    (
        exceptions.NotAService(int),
        "<class 'int'> is the class itself, not an instance: add (); a launcher "
        "takes an instance of a subclass of oslo_asyncio.service.ServiceBase",
    ),
    (
        exceptions.OneProcessOnly("ServiceLauncher", 2),
        "workers=2: ServiceLauncher runs services in one process; use "
        "ProcessLauncher, or launch() with workers",
    ),
    (
        exceptions.LaunchedTooLate("api"),
        "str was launched after wait() had begun; call launch_service() for every "
        "service first, and then wait()",
    ),
    (
        exceptions.ListenError("*:80", PermissionError(13, "Permission denied")),
        "cannot listen on *:80: Permission denied",
    ),
    (
        exceptions.HubNotChosen(),
        "no hub has been chosen in this process; call oslo_asyncio.hub.setup() "
        "first in the program, or oslo_asyncio.hub.load(conf)",
    ),
    (
        exceptions.LoopNotRunning("run_async"),
        "run_async() needs a running service loop in this process; call it from "
        "code that a launched service runs",
    ),
    (
        exceptions.OnLoopThread("boot"),
        "run_async(boot) was called on the loop's own thread and would wait for "
        "itself; write: await boot(...)",
    ),
    (
        exceptions.WaitOnLoop("the looping call of boot"),
        "wait() for the looping call of boot was called by async code and would "
        "block the loop; write await in its place",
    ),
    (
        exceptions.WaitTimeout("the looping call of boot", 1.5),
        "the looping call of boot has not ended within 1.5 s",
    ),
    (
        exceptions.LoopingCallNotStarted("boot"),
        "the looping call of boot was not started; call start() before wait()",
    ),
    (
        exceptions.InvalidGroupSize(0),
        "thread_pool_size=0: the number of threads in a group must be an int of at "
        "least 1",
    ),
    (
        exceptions.CoroutineExpected("boot", 3),
        "run_async(boot) takes an async function and its arguments, and boot "
        "returned int; call sync code directly, and write run_async(func, arg), not "
        "run_async(func(arg))",
    ),
    (
        exceptions.LoopStopped("boot"),
        "boot was cancelled, for the service is stopping",
    ),
    (
        exceptions.PoolNotFound("disk", ["resolver", "default"]),
        "there is no pool 'disk'; known: default, resolver; add it with "
        "oslo_asyncio.executor.add_pool('disk', max_threads=...)",
    ),
    (
        exceptions.InvalidPeriodicTaskArg("ticks_between_runs"),
        "unexpected argument for periodic task creation: ticks_between_runs; it takes "
        "spacing (seconds), run_immediately, enabled, external_process_ok and name",
    ),
    (
        exceptions.NativeHubRequired("run_all", "green", "call run()"),
        "run_all() cannot be used on the green hub, whose standard library is green; "
        "call run(), or set [oslo_asyncio] hub = asyncio",
    ),
    (
        exceptions.NotPicklable("the context", "it has a lock"),
        "the context cannot be sent to another process: it has a lock; keep locks, "
        "sockets, lambdas and local classes out of it",
    ),
    (
        exceptions.LibraryMissing("wsgi.Server", "wsgi", "No module named 'uvicorn'"),
        "wsgi.Server cannot be used: No module named 'uvicorn'; install what it "
        "needs: pip install 'oslo.asyncio[wsgi]'",
    ),
    (
        exceptions.InvalidInput("backlog", 0, "it has to be at least 1"),
        "backlog=0 is not valid: it has to be at least 1",
    ),
    (
        exceptions.InvalidTls("cert_file", "there is no file '/x'"),
        "[ssl] cert_file cannot be used: there is no file '/x'",
    ),
    (
        exceptions.ConfigNotFound("api-paste.ini"),
        "there is no paste.deploy config file 'api-paste.ini'; set [DEFAULT] "
        "api_paste_config",
    ),
    (
        exceptions.PasteAppNotFound("api", "/etc/api-paste.ini"),
        "/etc/api-paste.ini has no application 'api', or not all that it needs; "
        "see the sections app:api, composite:api and pipeline:api",
    ),
    (
        exceptions.CallCancelled("boot"),
        "the call of boot was cancelled, for its server is stopping and "
        "graceful_shutdown_timeout is nearly over; it may have done a part",
    ),
    (
        exceptions.EndpointExit(SystemExit(3)),
        "the endpoint raised SystemExit(3); it ends the call and not the server",
    ),
    (
        exceptions.ExpectedExceptionsOfSync("Compute.boot"),
        "Compute.boot is async, and oslo_messaging.expected_exceptions catches "
        "nothing of it; write @oslo_asyncio.messaging.expected_exceptions",
    ),
    (
        exceptions.ApplicationNotStarted("api"),
        "the application of api did not start: its lifespan.startup failed, see "
        "the log of uvicorn.error",
    ),
    (
        exceptions.IncompleteResponse("calling start_response()"),
        "the application returned without calling start_response()",
    ),
    (
        exceptions.ClientGone("GET /v1"),
        "the client of GET /v1 has closed the connection",
    ),
]


@pytest.mark.parametrize(("error", "sentence"), SENTENCES)
def test_an_error_is_a_sentence(error, sentence):
    assert str(error) == sentence
    assert isinstance(error, exceptions.OsloAsyncioError)


def test_every_error_is_read_by_this_test():
    read = {type(error) for error, _sentence in SENTENCES} | {exceptions.LookupTimeout}
    base = {exceptions.OsloAsyncioError, exceptions.ConfigurationError}
    defined = {
        found
        for found in vars(exceptions).values()
        if isinstance(found, type) and issubclass(found, exceptions.OsloAsyncioError)
    }
    assert defined - base == read


def test_a_look_up_that_took_too_long_is_a_temporary_gaierror():
    error = exceptions.LookupTimeout("db.example", 30)
    assert isinstance(error, socket.gaierror)
    assert error.errno == socket.EAI_AGAIN
    assert error.strerror == (
        "the look-up of 'db.example' took longer than 30 s; "
        "see [oslo_asyncio] resolver_timeout"
    )


def test_a_listen_error_is_an_oserror_with_its_number():
    error = exceptions.ListenError("*:80", PermissionError(13, "Permission denied"))
    assert isinstance(error, OSError)
    assert error.errno == 13


def test_an_operators_mistake_ends_a_program_with_its_sentence_and_status_1():
    code = (
        "from oslo_asyncio import exceptions\n"
        "raise exceptions.HubNotFound('x', ['asyncio'], '[oslo_asyncio] hub')"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == (
        "hub 'x' is not installed; installed: asyncio; set [oslo_asyncio] hub\n"
    )


def test_a_programmers_mistake_is_an_ordinary_exception():
    assert not issubclass(exceptions.InvalidWorkers, SystemExit)
    assert issubclass(exceptions.InvalidWorkers, ValueError)
    assert issubclass(exceptions.NotAService, TypeError)
