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

"""What `oslo-asyncio run` costs: until a service is ready, and until it has ended.

The bare console script and `oslo-asyncio run` on each hub start the same service
in turn, as often as ``--rounds`` says.  A start is over when each worker has
logged ``--ready``, which both kinds log at the same place; a stop goes from
SIGTERM to the end of the launcher.  The service is designate-central over
``fake://`` and SQLite, unless another one is given after ``--``.
"""

import argparse
from collections.abc import Iterator
import contextlib
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

_PATIENCE = 60.0  # seconds for one start and one stop

BARE = "bare"
HUBS = ("asyncio", "uvloop", "eventlet")
DESIGNATE = """\
[DEFAULT]
host = bench
use_stderr = True
state_path = {0}
transport_url = fake://
[oslo_concurrency]
lock_path = {0}
[storage:sqlalchemy]
connection = sqlite:///{0}/designate.sqlite
[service:central]
workers = {1}
[coordination]
backend_url = file://{0}/coordination
[oslo_policy]
policy_file = {0}/policy.yaml
"""


def main() -> int:
    options = _options()
    contenders = (BARE, *options.hubs.split(","))
    figures: dict[str, dict[str, list[float]]] = {
        name: {"start": [], "stop": []} for name in contenders
    }
    with _service(options) as command:
        print(f"{options.rounds} rounds of {' '.join(map(str, command))}")
        for turn in range(options.rounds + 1):
            for name in contenders:
                start, stop = _measure(name, command, options)
                if turn:  # the first one warms the caches
                    figures[name]["start"].append(start)
                    figures[name]["stop"].append(stop)
            print(".", end="", flush=True)
    print()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return _report(figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.takeover", description=__doc__
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--hubs", default=",".join(HUBS))
    parser.add_argument("--ready", default="Initializing RPC server for central")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there")
    parser.add_argument("command", nargs="*", help="another service")
    return parser.parse_args()


@contextlib.contextmanager
def _service(options: argparse.Namespace) -> Iterator[list[str]]:
    if options.command:
        yield options.command
        return
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "policy.yaml").write_text("{}")
        (root / "coordination").mkdir()
        config = root / "designate.conf"
        config.write_text(DESIGNATE.format(root, options.workers))
        files = ["--config-file", str(config)]
        manage = [_script("designate-manage"), *files, "database", "sync"]
        subprocess.run(manage, check=True, capture_output=True)
        yield ["designate-central", *files]


def _measure(
    name: str, command: list[str], options: argparse.Namespace
) -> tuple[float, float]:
    """Seconds of one start and of one stop."""
    script, *args = command
    line = [_script(script), *args]
    if name != BARE:
        line = [_script("oslo-asyncio"), "run", "--hub", name, *command]
    began = time.monotonic()
    process = subprocess.Popen(
        line, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stderr is not None
    late = threading.Timer(_PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
    late.start()
    try:
        said = []
        while sum(options.ready in text for text in said) < options.workers:
            text = process.stderr.readline().decode()
            if not text:
                raise SystemExit(f"{name} has ended:\n{''.join(said)}")
            said.append(text)
        ready = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.stderr.read()  # until the last of its processes has gone
        status = process.wait()
        ended = time.monotonic()
    finally:
        late.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if status:
        raise SystemExit(f"{name} ended with status {status}")
    return ready - began, ended - ready


def _script(name: str) -> str:
    beside = pathlib.Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else name


def _report(figures: dict[str, dict[str, list[float]]]) -> int:
    """Print the medians with their spread; 1 if a promise is not kept."""
    print(f"{'':10}{'start, s':>24}{'more':>8}{'stop, s':>24}")
    bare = {what: statistics.median(each) for what, each in figures[BARE].items()}
    broken = []
    for name, measured in figures.items():
        start, stop = (statistics.median(measured[w]) for w in ("start", "stop"))
        more = start - bare["start"]
        print(
            f"{name:10}{_spread(measured['start']):>24}{more:>8.2f}"
            f"{_spread(measured['stop']):>24}"
        )
        if more > max(0.3, 0.15 * bare["start"]):
            broken.append(f"{name} starts {more:.2f} s later than {BARE}")
        if stop > 1.2 * bare["stop"] + 0.3:
            broken.append(f"{name} stops in {stop:.2f} s, {BARE} in {bare['stop']:.2f}")
    for sentence in broken:
        print(f"broken promise: {sentence}", file=sys.stderr)
    return 1 if broken else 0


def _spread(seconds: list[float]) -> str:
    median, least, most = statistics.median(seconds), min(seconds), max(seconds)
    return f"{median:.2f} ({least:.2f} .. {most:.2f})"


if __name__ == "__main__":
    sys.exit(main())
