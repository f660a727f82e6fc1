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

"""When a worker that died is started again, and when there is no sense in it."""

#: Deaths of a worker that had been ready which are answered at once; a worker
#: that never gets ready is given up after as many.  As systemd's
#: StartLimitBurst.
BURST = 5

#: Seconds before the second try of one that did not get ready; doubled for
#: each further try up to _MOST.
_FIRST = 0.5
_MOST = 30.0

#: A worker that was ready for so many seconds has not died young.
STABLE = 10.0


class RestartPolicy:
    """Counts the deaths of one worker in a row.

    At once for a worker that had been ready, unless that happens again and
    again; later and later for one that does not get ready.
    """

    def __init__(self) -> None:
        self.failures = 0

    def died(self, ready_for: float | None) -> float:
        """Seconds until the next try.

        :param ready_for: how many seconds it had been ready; None: it had not.
        """
        if ready_for is not None and ready_for >= STABLE:
            self.failures = 0
            return 0.0
        self.failures += 1
        doubled = self.failures - (1 if ready_for is None else BURST + 1)
        if doubled < 0:
            return 0.0
        return float(min(_MOST, _FIRST * 2 ** min(doubled, 10)))

    def spent(self, ever_ready: bool) -> bool:
        """Whether it has had its chances.

        A service that has run before gets twice as many, which is two minutes:
        what it needs (a database) may come back.
        """
        return self.failures >= BURST * (2 if ever_ready else 1)

    def forgive(self) -> None:
        """Start counting anew: the configuration has changed."""
        self.failures = 0
