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

"""Programs that run beside a test, and what they say."""

import collections
import os
import queue
import re
import subprocess
import sys
import threading

from oslo_asyncio import hub

#: Whoever waits for so many seconds has failed; nothing waits for it to pass.
LIMIT = 120


class Program:
    """A module of this package as a process, with pipes.

    :param module: its name.
    :param hub_name: the hub that it runs on.
    :param arguments: its command line.
    """

    def __init__(self, module, hub_name, *arguments):
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.{module}", *arguments],
            env={**os.environ, hub.ENVIRONMENT: hub_name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._lines = queue.Queue()
        self._seen = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self._process.pid

    def tell(self, *words):
        """Write a line to its stdin."""
        self._process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self._process.stdin.flush()

    def signal(self, signum):
        self._process.send_signal(signum)

    def wait_for(self, pattern, count=1):
        """Read on until so many lines match; what they match."""
        found = []
        while len(found) < count:
            matched = re.search(pattern, self._next())
            if matched:
                found.append(matched)
        return found

    def said(self, pattern):
        """How often each first group was said until now, of lines that match.

        What it has written may not have come yet: first wait for what it says last.
        """
        while not self._lines.empty():
            line = self._lines.get()
            if line is None:  # its end, which others may wait for
                self._lines.put(None)
                break
            self._seen.append(line)
        found = (re.search(pattern, line) for line in self._seen)
        return collections.Counter(each[1] for each in found if each)

    def end(self):
        """What it says until its end is heard; its status."""
        self._reader.join()
        return self._process.wait()

    def close(self):
        """End it, in any case."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()

    def _next(self):
        try:
            line = self._lines.get(timeout=LIMIT)
        except queue.Empty:
            line = None
        assert line is not None, "it says no more:\n" + "".join(self._seen[-50:])
        self._seen.append(line)
        return line

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line.decode(errors="replace"))
        self._lines.put(None)
