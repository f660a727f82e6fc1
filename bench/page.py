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

"""The page of the documentation that shows one run."""

import textwrap

from bench import results
from bench import tables

_HEAD = """\
===========
Performance
===========

.. This page is made by the command that it shows; do not edit it.

Speed, memory and idle cost of this library beside its limits and its peers. Each
row was measured in one run, in which all contenders take turns in processes of
their own: what counts is the ratio. It is the median of the rounds' ratios;
brackets hold the least and the most.

.. code-block:: console

   $ tox -e bench -- {options}

Measured with {python} on {cores} cores ({processor}), {memory}, {kernel}.

``bare`` forks workers that each run a plain asyncio loop, and does nothing else;
``bare with libraries`` has imported oslo.config and stevedore as well. Memory is
the proportional set size (PSS). Round trips of the echo rows are of 64 bytes on
100 connections, thousands of them per second of the server's CPU time. Where next
to nothing is used (a failed connection, half a millisecond) ratios begin at a floor.

"""

_TAIL = """\
Rows that miss their target
---------------------------

{missed}
Regressions
-----------

``tox -e bench -- --quick`` measures the rows without the peers and fails when a
ratio is less than half as good as in ``bench/reference.json``, in three attempts.
It takes three minutes, and every change has to pass it.
``python -m bench.compare OLD.json NEW.json`` compares two files of ``--json``, and
``--plot DIR`` draws a chart of each table.
"""


def text(run: results.Run) -> str:
    """The page, as reStructuredText."""
    missed: dict[str, list[str]] = {}
    for result in run.all():
        if result.met is False:
            # rows that miss for one reason share an item
            reason = REASONS.get(result.key, "")
            missed.setdefault(reason, []).append(_missed(result))
    items = [_item([*rows, reason]) for reason, rows in missed.items()]
    items += [_item([f"{title}: it could not be measured."]) for title in run.missing]
    tail = _TAIL.format(missed="".join(items) or "There are none.\n")
    options = "--quick " if run.quick else ""
    options += "--rst doc/source/reference/performance.rst"
    return _HEAD.format(**run.machine, options=options) + tables.rst(run) + "\n" + tail


def _missed(result: results.Result) -> str:
    ratio = tables.number(result.ratio)
    return f"{result.title}: {ratio} x {result.limit}, to be {result.target}."


def _item(sentences: list[str]) -> str:
    text = " ".join(sentences)
    return textwrap.fill(text, 84, initial_indent="* ", subsequent_indent="  ") + "\n"


#: why a row misses its target, and what was tried; kept up to date by hand
_STARTING = (
    "A worker makes its loop, its channel and its signal handlers, and starts its "
    "services, after the fork. It imported ctypes there as well, and started two "
    "threads: without them 64 workers took 397 ms instead of 614. The parent decided "
    "about each worker between two forks, and wrote to 200 pages that the fork had "
    "just shared: now it forks all that are wanted in one go. What is left is mostly "
    "pages that a worker writes to while it starts: 950, and a plain loop 580."
)
_STOPPING = (
    "The signal handler of each worker starts a native thread that ends the process "
    "if the loop is blocked, and the stop takes thirty turns of the loop."
)
_STREAMS = "StreamReader is the standard library's, and wakes a task for each message."
_CALLS = (
    "Futures of asyncio's own class have brought most of what there is (4.4 times "
    "asyncio before, with 100 in flight); what is left is the context of each call "
    "and the list of those that are waited for."
)
_NAMES = (
    "One timer serves all look-ups, and an answer reaches who waits in one turn of the "
    "loop. What is left with many in flight is that up to 64 threads compete for the "
    "interpreter: with two at most 1000 in flight took 2.2 times asyncio's rate, but "
    "two names that hang would then stop all others."
)
_LOOPS = (
    "A task for each call cost 2.2 times the timer alone. Now one task takes all steps "
    "of a looping call; the least that does so, without a schedule, costs 1.3 times."
)

REASONS: dict[str, str] = {
    "startup-16": _STARTING,
    "startup-64": _STARTING,
    "respawn": _STARTING,
    "storm": _STARTING,
    "storm-again": _STARTING,
    "stop-16": _STOPPING,
    "stop-64": _STOPPING,
    "memory-parent": "It is 1.7 MiB more; where they are has not been looked for.",
    "echo": "The rounds spread to either side of the target.",
    "memory-worker": "It was 6.3 MiB, before workers started no threads of their own.",
    "echo-streams": _STREAMS,
    "echo-uvloop": "The rounds spread to either side of the target.",
    "offload-1": _CALLS,
    "offload-100": _CALLS,
    "offload-1000": _CALLS,
    "resolve-1": _NAMES,
    "resolve-100": _NAMES,
    "resolve-1000": _NAMES,
    "loops-cpu": _LOOPS,
}
