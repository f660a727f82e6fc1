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

"""Stand in for systemd's socket activation.

``python -m oslo_asyncio.tests.activate 7,9 COMMAND...`` becomes the command,
with what was at 7 and 9 as file descriptors 3 and 4.
"""

import fcntl
import os
import sys


def main(fds: str, *command: str) -> None:
    above = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in fds.split(",") if fd]
    for target, fd in enumerate(above, start=3):
        os.dup2(fd, target)
    os.closerange(3 + len(above), 200)
    os.environ.setdefault("LISTEN_PID", str(os.getpid()))
    os.environ.setdefault("LISTEN_FDS", str(len(above)))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
