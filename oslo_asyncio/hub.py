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

"""The hub: where async code and sync code of a service run.

Async code runs on the loop, sync code runs beside it: in a native thread on
the asyncio and uvloop hubs, in a green thread on the eventlet hub.  The option
``[oslo_asyncio] hub`` chooses, and the code of the service is the same.
"""

import abc
import asyncio
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Sequence
import enum
import functools
from typing import Any
from typing import ClassVar
from typing import TypeVar

from oslo_config import cfg

from oslo_asyncio import _bridge
from oslo_asyncio import _choice
from oslo_asyncio import _plugins
from oslo_asyncio import _pool
from oslo_asyncio import _strand
from oslo_asyncio import _synctask
from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions
from oslo_asyncio import executor
from oslo_asyncio import opts
from oslo_asyncio import resolver

T = TypeVar("T")

NAMESPACE = "oslo_asyncio.hubs"
ENVIRONMENT = _choice.ENVIRONMENT

SyncTask = _synctask.SyncTask
Strand = _strand.Strand


class Characteristic(enum.Enum):
    """What a hub can do, for the few who have to ask."""

    #: sync code runs in native threads: it is preempted, and it needs locks
    PREEMPTIVE_SYNC = "preemptive-sync"
    #: ``SyncTask.kill()`` ends sync code at its next switch
    KILLABLE_SYNC = "killable-sync"
    #: the standard library is patched: ``time.sleep`` switches green threads
    GREEN_STDLIB = "green-stdlib"


class Hub(abc.ABC):
    """One way to run services.

    A package adds a hub with an entry point in the group
    ``oslo_asyncio.hubs``; the entry point's name is what the option says.

    >>> import asyncio
    >>> from oslo_asyncio import hub
    >>> class PlainHub(hub.Hub):
    ...     name = "plain"
    ...     def new_event_loop(self):
    ...         return asyncio.SelectorEventLoop()
    >>> PlainHub().name
    'plain'
    """

    name: ClassVar[str]
    characteristics: ClassVar[frozenset[Characteristic]] = frozenset(
        {Characteristic.PREEMPTIVE_SYNC}
    )

    def prepare(self) -> None:  # noqa: B027 (most hubs have nothing to prepare)
        """Prepare the process; the first thing that happens in it."""

    def check(self) -> None:
        """Refuse a process that this hub cannot use, before anything starts.

        :raises HubUnavailable: with the reason and the remedy.
        """
        if _unpatched.patched():
            raise exceptions.HubUnavailable(
                self.name,
                "eventlet has patched the standard library of this process",
                f"set [oslo_asyncio] hub = eventlet, or let oslo_asyncio.hub.setup() "
                f"patch and take eventlet.monkey_patch() and {ENVIRONMENT} out",
            )

    @abc.abstractmethod
    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A new loop, in the process and thread that will run it."""

    def spawn_sync(
        self, func: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> SyncTask:
        """Start ``func(*args, **kwargs)`` beside the running loop.

        Here: in a native thread of a pool without a limit, for the sync code
        of a service may wait for other sync code of the same service.

        :returns: a future of the running loop, with a name and ``kill()``.
        """
        return _sync_pool().submit(asyncio.get_running_loop(), func, args, kwargs)

    async def run_sync(
        self, func: Callable[..., T], /, *args: Any, **kwargs: Any
    ) -> T:
        """Call ``func(*args, **kwargs)`` as :meth:`spawn_sync` does; await it."""
        if type(self).spawn_sync is Hub.spawn_sync:
            return await _sync_pool().run(func, args, kwargs)  # half as expensive
        task = self.spawn_sync(func, *args, **kwargs)
        if task.done():
            await asyncio.sleep(0)  # who calls again and again must let others in
        result: T = await task
        return result

    def spawn_thread(self, func: Callable[[], None], name: str) -> Strand:
        """Start ``func()`` in a thread of its own, from any thread.

        Here: a native one, which cannot keep the process from ending.

        :param func: returns nothing and raises nothing: nobody waits for it.
        :param name: for stacks and debuggers.
        """
        return _strand.NativeStrand(func, name)


@functools.cache
def _sync_pool() -> _pool.Pool:
    return _pool.Pool("sync", max_threads=None)


_current: Hub | None = None


def setup(project: str | None = None, argv: Sequence[str] | None = None) -> Hub:
    """Choose the hub from the config files and prepare the process for it.

    Call it in the first line of a program, before anything else is imported:
    the eventlet hub patches the standard library here, and what was imported
    earlier keeps its unpatched parts.  The config files are found as
    oslo.config would find them: ``--config-file`` and ``--config-dir`` on the
    command line, or the defaults of ``project``.

    :param project: as in ``cfg.CONF(project=...)``.
    :param argv: the command line without the program; default ``sys.argv[1:]``.
    :raises InvalidConfigFile: a file is missing or cannot be parsed.
    :raises HubNotFound: the hub that is asked for is not installed.
    :raises HubUnavailable: it is installed, and something it needs is not.

    All three end a program that does not catch them with one sentence and
    status 1.

    >>> from oslo_asyncio import hub
    >>> hub.setup(argv=[]).name
    'asyncio'
    """
    global _current
    conf = _choice.read(project, argv)
    name = _choice.name(conf)
    if _current is None or _current.name != name:
        chosen = load_driver(name, conf)
        chosen.prepare()
        _current = chosen
    return _current


def load(conf: cfg.ConfigOpts) -> Hub:
    """The hub that ``conf`` chooses, checked, and from now on the current one.

    ``launch()`` calls it.  Scripts, tests and benchmarks may call it for a
    loop without a launcher:

    >>> from oslo_config import cfg
    >>> from oslo_asyncio import hub
    >>> conf = cfg.ConfigOpts()
    >>> conf([])
    >>> loop = hub.load(conf).new_event_loop()
    >>> loop.close()

    :param conf: a parsed configuration; our options are registered with it.
    :raises InvalidOption: a value of ours is out of range.
    :raises HubNotFound: the hub that is asked for is not installed.
    :raises HubUnavailable: this process cannot use it.
    :raises ResolverNotFound: the resolver that is asked for cannot be used.
    """
    global _current
    opts.register(conf)
    opts.validate(conf)
    name = _choice.name(conf)
    chosen = _current
    if chosen is None or chosen.name != name:
        chosen = load_driver(name, conf)
    chosen.check()
    own = conf[opts.GROUP]
    executor.configure(own.pool_threads, own.pool_idle_timeout)
    _resolver_options.update(
        made_by=resolver.find(own.resolver), timeout=own.resolver_timeout
    )
    _current = chosen
    return chosen


def current() -> Hub:
    """The hub of this process.

    :raises HubNotChosen: neither :func:`setup` nor :func:`load` was called.
    """
    if _current is None:
        raise exceptions.HubNotChosen()
    return _current


def is_chosen() -> bool:
    """Whether :func:`setup` or :func:`load` was called."""
    return _current is not None


def find() -> Hub:
    """The hub of this process, or the default one if nobody has chosen.

    For what works without a service: a looping call in a script or a unit test.

    :raises HubNotFound: ``OSLO_ASYNCIO_HUB`` names one that is not installed.
    :raises HubUnavailable: this process cannot use it.
    """
    if _current is None:
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[], default_config_dirs=[])
        return load(conf)
    return _current


async def run_sync(func: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Call sync code from async code, beside the loop.

    In a green thread on the eventlet hub, in a native thread elsewhere; for
    calls that must have a native thread on every hub see
    :func:`oslo_asyncio.executor.run_blocking`.  The function sees a copy of
    the caller's context variables.  When the caller is cancelled it runs on.

    :param func: a sync function.
    :raises HubNotChosen: no hub was set up or loaded.
    """
    return await current().run_sync(func, *args, **kwargs)


def run_async(func: Callable[..., Awaitable[T]], /, *args: Any, **kwargs: Any) -> T:
    """Call async code from sync code, and wait for its result.

    Blocks the calling native or green thread only.  The coroutine runs as a
    task of the service's loop, with a copy of the caller's context variables.

    :param func: an ``async def`` function, not a coroutine.
    :raises LoopNotRunning: no service runs in this process.
    :raises OnLoopThread: the caller is on the loop: write ``await`` there.
    :raises CoroutineExpected: ``func`` is not async.
    :raises LoopStopped: the service stopped before the coroutine was done.
    """
    home = _bridge.home()
    if home is None:
        raise exceptions.LoopNotRunning("run_async")
    name = _synctask.name_of(func)
    if home.on_loop():
        raise exceptions.OnLoopThread(name)
    call = functools.partial(func, *args, **kwargs)
    result: T = _bridge.Bridge(home, name, call).wait()
    return result


_resolver_options: dict[str, Any] = {}


def resolver_options() -> dict[str, Any]:
    """Class and timeout (seconds) of the resolver that new loops use."""
    if not _resolver_options:  # nobody has loaded a configuration
        _resolver_options.update(made_by=resolver.find("threads"), timeout=30.0)
    return dict(_resolver_options)


def installed() -> list[str]:
    """The names of the installed hubs, without loading any of them."""
    return _plugins.installed(NAMESPACE)


def load_driver(name: str, conf: cfg.ConfigOpts | None = None) -> Hub:
    """The hub ``name``; nothing is prepared, patched or chosen.

    :param conf: which names it, for the sentence of an error.
    :raises HubNotFound: it is not installed.
    :raises HubUnavailable: it is installed, and something it needs is not.
    """

    def missing() -> Exception:
        source = f"[{opts.GROUP}] hub" if conf is None else _choice.source(conf)
        return exceptions.HubNotFound(name, installed(), source)

    def broken(error: BaseException) -> Exception:
        package = _plugins.package(NAMESPACE, name)
        remedy = f"install what it needs: pip install '{package}'"
        return exceptions.HubUnavailable(name, str(error), remedy)

    hub: Hub = _plugins.load(NAMESPACE, name, missing, broken)()
    return hub
