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

"""Round trips of 64 bytes on a hundred connections.

What is compared is the server's CPU time per round trip: the client, which is
a Python program as well, must not be what limits a fast server.
"""

import subprocess

from bench import clients
from bench import rounds
from bench.scenarios import child


def play(contender: str, connections: int, seconds: float) -> dict[str, float]:
    name, _, own = contender.partition(", ")
    options = {"style": own or "protocols"}
    started = subprocess.Popen(
        **child.command("echo", name, options), stderr=subprocess.DEVNULL
    )
    with started as server:
        try:
            port = int(server.stdout.readline())
            return clients.echo(port, connections, seconds, server.pid)
        except (ValueError, subprocess.SubprocessError) as error:
            raise rounds.NotPlayed(str(error)) from None
        finally:
            server.kill()
