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

"""The end of a process: hooks, flushed streams, the real exit status."""

from collections.abc import Callable
import faulthandler
import os
import sys
from typing import Any
from typing import NoReturn

from oslo_asyncio import _unpatched

#: seconds that all hooks together may take
_HOOK_SECONDS = 1.0

_hooks: list[Callable[[], Any]] = []


def on_worker_exit(hook: Callable[[], Any]) -> Callable[[], Any]:
    """Call ``hook`` when a worker leaves without Python's own clean-up.

    A worker that cannot stop within ``graceful_shutdown_timeout`` ends with
    ``os._exit``, which runs no ``atexit`` function, and so does every forked
    worker: those functions are its parent's.  What must be saved even then
    (coverage data, a profile) belongs here.  Hooks run in a thread of
    their own, last in first out, one second for all of them.

    :param hook: a sync function without arguments.
    :returns: the hook, so that this can be used as a decorator.
    """
    _hooks.append(hook)
    return hook


def now(status: int) -> NoReturn:
    """Run the hooks, flush, and end the process with ``status``.  No return."""
    if _hooks:
        _run_hooks_in_time()
    flush()
    _unpatched.os._exit(status)


def _run_hooks_in_time() -> None:
    thread = _unpatched.threading.Thread(target=_run_hooks, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # the interpreter is shutting down and starts no threads (since 3.12);
        # the watchdog, which is none of Python's, limits the hooks instead
        faulthandler.dump_traceback_later(_HOOK_SECONDS, exit=True)
        _run_hooks()
    else:
        thread.join(_HOOK_SECONDS)


def flush() -> None:
    """Flush stdout and stderr, so that their end cannot spoil the exit status.

    Python ends with status 120 when the reader of a pipe has gone (CPython
    gh134568).  What cannot be written is dropped here.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            _drop(stream)


def guard(status: int, seconds: float) -> None:
    """End the process ``seconds`` after its main thread, whatever still runs.

    Python joins every thread that is no daemon, and those of each
    ThreadPoolExecutor, at exit (CPython gh111358): one blocked call and the
    process stays for ever.
    """
    first = not _guard
    _guard.update(status=status, seconds=seconds)
    if first:
        ended = _unpatched.threading.Lock()
        ended.acquire()
        # atexit is too late, it comes after the joins; the main thread counts
        # as alive while executors are joined.  This is where they hook in.
        sys.modules["threading"]._register_atexit(ended.release)
        _unpatched.threading.Thread(
            target=_guard_exit, args=(ended,), name="exit-guard", daemon=True
        ).start()


def finish_executors(status: int, seconds: float | None) -> None:
    """Wait until executors have done what was submitted to them.

    A forked worker leaves with ``os._exit``, which would cut it off; Python
    waits for it at exit, in calls that executors register with threading.  A
    bare thread is not waited for: nobody knows whether it ever ends.

    :param status: what the process ends with if they take too long.
    :param seconds: how long they may take; None: no limit.
    """
    registered = getattr(sys.modules["threading"], "_threading_atexits", ())
    if not registered:
        return
    if seconds is not None:
        guard(status, seconds)
    for finish in reversed(registered):
        finish()


_guard: dict[str, Any] = {}


def _guard_exit(ended: Any) -> None:
    ended.acquire()
    if not ended.acquire(timeout=_guard["seconds"]):
        report("the main thread has ended, and these threads keep the process")
        now(_guard["status"])


def report(sentence: str) -> None:
    """Write a sentence and the stacks of all threads to stderr.

    Not by logging: its locks may be what everybody waits for, and in a process
    that eventlet has patched a native thread must not touch them.
    """
    text = f"oslo.asyncio[{os.getpid()}]: {sentence}:\n".encode()
    try:
        _unpatched.os.write(2, text)
        faulthandler.dump_traceback(2, all_threads=True)
    except OSError:
        pass  # stderr is gone; the status still tells


def _run_hooks() -> None:
    for hook in reversed(_hooks):
        try:
            hook()
        except Exception as error:
            report(f"on_worker_exit hook {hook!r} failed: {error!r}")


def _drop(stream: Any) -> None:
    try:
        nowhere = _unpatched.os.open(os.devnull, os.O_WRONLY)
        _unpatched.os.dup2(nowhere, stream.fileno())
        _unpatched.os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        pass  # closed, replaced, or None: nothing that could fail later
