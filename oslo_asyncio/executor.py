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

"""Blocking calls in named pools of native threads.

On every hub a pool's thread is a native one, so that a call into C code that
blocks (a database driver, an image library, ``time.sleep`` of the unpatched
kind) stops neither the loop nor a green thread.
"""

from collections.abc import Callable
from collections.abc import Mapping
from typing import ParamSpec
from typing import TypeVar

from oslo_asyncio import _call
from oslo_asyncio import _pool
from oslo_asyncio import exceptions

P = ParamSpec("P")
T = TypeVar("T")

Figures = _call.Figures
Pool = _pool.Pool

#: What blocking calls in a service mostly wait for is a database or another
#: service, not this machine's cores: the number is oslo.messaging's.
_DEFAULT_THREADS = 64

_pools: dict[str, Pool] = {}
_sizes: dict[str, int] = {}
_own_sizes: dict[str, int] = {}
_idle_timeout = 10.0


def add_pool(name: str, max_threads: int = _DEFAULT_THREADS) -> Pool:
    """Add a named pool, or return the one that has this name.

    :param name: for ``run_blocking(pool=...)``, thread names, and the option
        ``[oslo_asyncio] pool_threads``, whose number wins over ``max_threads``.
    :param max_threads: how many calls may run at the same time.

    Costs nothing until the first call: threads start when they are needed.

    >>> from oslo_asyncio import executor
    >>> executor.add_pool("images", max_threads=2).max_threads
    2
    """
    found = _pools.get(name)
    if found is None:
        found = Pool(name, _sizes.get(name, max_threads), _idle_timeout)
        _pools[name] = found
        _own_sizes[name] = max_threads
    return found


def get_pool(name: str = "default") -> Pool:
    """The pool of this name.

    :raises PoolNotFound: when nobody has added it.
    """
    found = _pools.get(name)
    if found is not None:
        return found
    if name in _BUILT_IN:
        return add_pool(name)
    raise exceptions.PoolNotFound(name, _BUILT_IN | _pools.keys())


def pools() -> list[Pool]:
    """The pools that exist in this process."""
    return list(_pools.values())


def figures() -> list[Figures]:
    """What each pool is doing now."""
    return [pool.figures() for pool in _pools.values()]


async def run_blocking(
    func: Callable[..., T], /, *args: object, pool: str = "default", **kwargs: object
) -> T:
    """Call ``func(*args, **kwargs)`` in a native thread and await its result.

    :param func: any function that may block.
    :param pool: the pool's name, see :func:`add_pool`.
    :raises PoolNotFound: when there is no such pool.

    The function sees a copy of the caller's context variables.  When the
    caller is cancelled the function runs on, and its thread is counted as
    abandoned until it returns.  One call at a time costs about 30 microseconds,
    most of it the switch between two threads; a hundred in flight 5 each.

    >>> import asyncio
    >>> from oslo_asyncio import executor
    >>> asyncio.run(executor.run_blocking(sum, [1, 2, 3]))
    6
    """
    return await get_pool(pool).run(func, args, kwargs)


def configure(sizes: Mapping[str, int], idle_timeout: float) -> None:
    """Set what the options say, for pools that exist and those to come.

    :param sizes: ``[oslo_asyncio] pool_threads``.
    :param idle_timeout: ``[oslo_asyncio] pool_idle_timeout``, seconds.
    """
    global _idle_timeout
    _sizes.clear()
    _sizes.update(sizes)
    _idle_timeout = idle_timeout
    for pool in _pools.values():
        pool.max_threads = _sizes.get(pool.name, _own_sizes[pool.name])
        pool.idle_timeout = idle_timeout


_BUILT_IN = frozenset({"default", "resolver"})
