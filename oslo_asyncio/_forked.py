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

"""The end of a child that code of a service has forked.

Such a child is a copy of its worker, loop, channel and all.  When it calls
``sys.exit`` it must not get back to where the worker would go on.
"""

import os
import sys
from typing import NoReturn

from oslo_asyncio import _unpatched


def leave(error: SystemExit) -> NoReturn:
    """End this process as ``sys.exit`` would, without Python's clean-up."""
    code = error.code
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    _unpatched.os._exit(code or 0)


def is_copy_of(pid: int) -> bool:
    """Whether this process is another one than ``pid``."""
    return os.getpid() != pid
