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

"""Functions that run in processes of their own, for one call."""

from collections.abc import Iterable
import concurrent.futures
import multiprocessing
from multiprocessing import reduction
import os
import pickle
import threading
import traceback
from typing import Any

from oslo_asyncio import _either
from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module

Work = tuple[str, Any]


def check(what: str, instead: str) -> None:
    """Refuse a hub on which waiting for processes would stop everything.

    :param what: the function that was called, for the sentence.
    :param instead: what to do about it.
    :raises NativeHubRequired: its standard library is green.
    """
    hub = hub_module.find()
    if hub_module.Characteristic.GREEN_STDLIB in hub.characteristics:
        raise exceptions.NativeHubRequired(what, hub.name, instead)


def run(
    work: Iterable[Work], arguments: tuple[Any, ...], processes: int | None
) -> list[tuple[str, BaseException]]:
    """Call each function of ``work``, in any order.

    The processes are spawned: a fork would inherit the locks that other threads
    hold.  A process that dies fails what it ran and what it was to run, and
    nobody waits for it; multiprocessing's own pool would, for ever.

    :param work: names and functions, sync or async.
    :param arguments: what each function is called with.
    :param processes: how many at most; None: one per CPU.
    :returns: names and errors of those that failed, when all have ended.
    :raises NotPicklable: the arguments or a function cannot be sent.
    """
    packed = [(name, _pack(name, (func, arguments))) for name, func in work]
    pool = concurrent.futures.ProcessPoolExecutor(
        min(processes or os.cpu_count() or 1, len(packed)),
        multiprocessing.get_context("spawn"),
        _begin,
        (hub_module.find().name,),
    )
    with pool:
        calls = [(name, pool.submit(_call, each)) for name, each in packed]
    ended = [(name, call.exception() or call.result()) for name, call in calls]
    return [(name, error) for name, error in ended if error is not None]


def _pack(name: str, thing: Any) -> bytes:
    try:
        return bytes(reduction.ForkingPickler.dumps(thing))
    except Exception as error:  # whatever __reduce__ and its kin raise
        raise exceptions.NotPicklable(name, error) from error


def _begin(hub: str) -> None:
    """The beginning of such a process: the same hub, and an end with its parent."""
    os.environ[hub_module.ENVIRONMENT] = hub
    hub_module.setup(argv=[])
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _call(packed: bytes) -> BaseException | None:
    func, arguments = pickle.loads(packed)
    try:
        _either.call(func, *arguments)
    except BaseException as error:
        return _portable(error)
    return None


def _portable(error: BaseException) -> BaseException:
    """The error as it survives the way back, with the stack in a note."""
    stack = "".join(traceback.format_exception(error))
    try:
        error = pickle.loads(pickle.dumps(error))
    except Exception:  # its class is made of other arguments than it says
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"In another process:\n{stack}")
    return error
