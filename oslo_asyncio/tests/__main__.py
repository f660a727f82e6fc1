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

"""Run the tests on one hub: ``python -m oslo_asyncio.tests --hub eventlet PATHS``.

The hub comes first in the process, as in a service: eventlet patches before
pytest is imported.
"""

import os
import sys

from oslo_asyncio import hub


def main(argv: list[str]) -> int:
    if argv[:1] == ["--hub"]:
        os.environ[hub.ENVIRONMENT] = argv[1]
        argv = argv[2:]
    hub.setup(argv=[])

    import pytest

    return int(pytest.main(argv))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
