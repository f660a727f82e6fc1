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

"""oslo.asyncio with a synchronous service on the eventlet hub."""

from oslo_asyncio import hub

hub.setup()

import sys  # noqa: E402

from bench.faults.contenders import _green  # noqa: E402
from bench.faults.contenders import _oslo_asyncio  # noqa: E402
from oslo_asyncio import service  # noqa: E402


class Service(_green.Service, service.ServiceBase):
    """The service, in the shape that oslo.asyncio asks for."""


if __name__ == "__main__":
    sys.exit(_oslo_asyncio.run(Service))
