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

"""Classes that are their annotations, made without running a compiler.

What ``dataclasses`` makes is faster to call and slower to make: it writes source
text and compiles it, 0.35 ms for a class, and the supervisor has twenty.
"""

from typing import Any
from typing import dataclass_transform


@dataclass_transform(frozen_default=True)
class Record:
    """A class with fields: what is annotated in its body, in that order.

    A value in the body is a default, which all objects share.  Records are equal
    when their classes and fields are, and ``match`` knows the fields by place.

    >>> from oslo_asyncio import _record
    >>> class Point(_record.Record):
    ...     x: int
    ...     y: int = 0
    >>> Point(1)
    Point(x=1, y=0)
    """

    __match_args__: Any = ()

    def __init_subclass__(cls) -> None:
        cls.__match_args__ = tuple(cls.__annotations__)  # type: ignore[misc]

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self.__match_args__
        found = vars(self)
        found.update(zip(fields, values, strict=False))
        if len(values) == len(fields) and not named:
            return
        twice = found.keys() & named.keys()
        found.update(named)
        missing = [n for n in fields if n not in found and not hasattr(self, n)]
        if twice or missing or len(values) > len(fields) or found.keys() - set(fields):
            raise TypeError(f"{type(self).__qualname__} is made of {fields}")

    def __setattr__(self, name: str, value: Any = None) -> None:
        raise AttributeError(f"{type(self).__qualname__} cannot be changed")

    __delattr__: Any = __setattr__

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        pairs = zip(self.__match_args__, self._values(), strict=True)
        fields = ", ".join(f"{name}={value!r}" for name, value in pairs)
        return f"{type(self).__qualname__}({fields})"

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)
