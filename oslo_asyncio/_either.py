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

"""Calls of functions that may be sync or async."""

from collections.abc import Awaitable
from collections.abc import Callable
import inspect
from typing import Any

from oslo_asyncio import _anywhere
from oslo_asyncio import hub as hub_module


def call(func: Callable[..., Any], /, *args: Any) -> None:
    """Call sync code here, or async code on the loop; for sync code."""
    if inspect.iscoroutinefunction(func):
        _anywhere.call(func, *args)
        return
    result = func(*args)
    if inspect.isawaitable(result):  # a def that hands on a coroutine
        _anywhere.call(_await, result)


async def call_from_loop(func: Callable[..., Any], /, *args: Any) -> None:
    """Call async code here, or sync code beside the loop; for async code."""
    if inspect.iscoroutinefunction(func):
        await func(*args)
        return
    result = await hub_module.find().spawn_sync(func, *args)
    if inspect.isawaitable(result):
        await result


async def _await(awaitable: Awaitable[Any]) -> None:
    await awaitable
