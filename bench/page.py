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
ratio is less than half as good as in ``bench/reference.json``.
``python -m bench.compare OLD.json NEW.json`` compares two files of ``--json``, and
``--plot DIR`` draws a chart of each table.
"""


def text(run: results.Run) -> str:
    """The page, as reStructuredText."""
    missed = [_missed(result) for result in run.all() if result.met is False]
    missed += [f"* {title}: it could not be measured.\n" for title in run.missing]
    tail = _TAIL.format(missed="".join(missed) or "There are none.\n")
    options = "--quick " if run.quick else ""
    options += "--rst doc/source/reference/performance.rst"
    return _HEAD.format(**run.machine, options=options) + tables.rst(run) + "\n" + tail


def _missed(result: results.Result) -> str:
    ratio = tables.number(result.ratio)
    reason = REASONS.get(result.key)
    told = f" {reason}" if reason else ""
    return f"* {result.title}: {ratio} x {result.limit}, to be {result.target}.{told}\n"


#: why a row misses its target, and what was tried; kept up to date by hand
REASONS: dict[str, str] = {}
