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

"""Classes of which a process has one instance."""

import threading
from typing import Any
from typing import ClassVar


class Singleton(type):
    """A metaclass: calling the class returns the same object each time.

    A subclass has an object of its own.  In a forked worker it is a copy of the
    parent's.

    >>> from oslo_asyncio import service
    >>> class Registry(metaclass=service.Singleton):
    ...     pass
    >>> Registry() is Registry()
    True
    """

    _instances: ClassVar[dict[type, Any]] = {}
    # reentrant: a singleton may need another one to be made
    _lock = threading.RLock()

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """The object; made with these arguments if it is not there yet."""
        if cls not in cls._instances:
            with cls._lock:
                if cls not in cls._instances:
                    cls._instances[cls] = super().__call__(*args, **kwargs)
        return cls._instances[cls]
