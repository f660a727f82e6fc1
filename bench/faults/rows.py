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

"""The promises, one line each, in the order of the table.

The numbers are those of the project's list of faults; a word behind one tells
two scenarios of the same row apart.
"""

ROWS = {
    "1": "an idle worker ends at once on SIGTERM",
    "4": "SIGTERM to a worker just forked ends that worker, and nothing else",
    "5": "SIGTERM during start-up is not lost",
    "6": "a stop during start() still calls stop()",
    "7": "SIGHUP again and again during start-up: one reload at most",
    "8": "Ctrl-C calls stop() once per worker at most",
    "9": "Ctrl-C under make ends everything",
    "10": "SIGHUP to every process (pkill -HUP) does no harm",
    "15": "the application's own SIGUSR1 handler survives",
    "17": "processes of the application are not reaped by the launcher",
    "19": "kill -9 of a worker: replaced at once, no zombie",
    "19 loop": "the same after a crash loop with a SIGHUP in it",
    "20": "a start() that always fails ends the launcher, status not 0",
    "22": "a worker that hangs is noticed and replaced",
    "24": "the graceful deadline ends workers that are stopped or stuck",
    "25 reload": "SIGTERM in the middle of a reload is obeyed",
    "25 stop": "SIGINT in the middle of a long stop is obeyed",
    "26": "kill -9 of the launcher: workers leave",
    "26 stuck": "the same when a worker hangs in C code",
    "27": "nothing is started while stopping",
    "28": "some worker is ready all through a reload",
    "29": "a broken config file on SIGHUP: the service goes on (reload)",
    "29 mutate": "a broken config file on SIGHUP: the service goes on (mutate)",
    "30": "mutate: the same workers, reset() once, new values",
    "32": "no_fork: SIGHUP reloads, the next SIGTERM gives status 0",
    "33": "work that repeats in the launcher does not keep it from ending",
    "40": "reloads leak no descriptors or threads",
    "46": "a stuck pool thread does not keep the processes from ending",
    "51": "the exit status is kept when stdout and stderr are gone",
    "52": "no connection fails during a reload",
    "53": "connections are refused at once while a stop drains",
    "55": "READY=1 only when all workers are ready",
    "56": "only the launcher talks to systemd",
    "57": "no lock is left that eventlet has not patched",
}
