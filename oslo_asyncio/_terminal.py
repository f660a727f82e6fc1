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

"""Whether there is a terminal."""

import errno
import os
import sys


def is_daemon() -> bool:
    """Whether SIGHUP means "reload" and not "your terminal has gone".

    It does unless the process is in the foreground of a terminal.
    """
    try:
        return os.getpgrp() != os.tcgetpgrp(sys.stdout.fileno())
    except OSError as error:
        return error.errno != errno.EIO  # EIO: it was a terminal, and has gone
    except (ValueError, AttributeError):
        return True  # no stdout at all
