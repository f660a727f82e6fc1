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
#
# ruff: noqa: E402, I001

"""The API and the worker in one process, for a look at them without a broker.

    python examples/volumes/together.py --config-file volumes.conf
"""

from oslo_asyncio import hub

hub.setup("volumes")

import sys

import settings  # before oslo_messaging
import api
import worker
from oslo_asyncio import service


def main():
    settings.read()
    launcher = service.launch(
        settings.CONF, worker.Worker(), restart_method="mutate"
    )
    launcher.launch_service(api.server())
    return launcher.wait()


if __name__ == "__main__":
    sys.exit(main())
