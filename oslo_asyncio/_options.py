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

"""oslo.service's lists of options, in the private module where projects find them."""

from oslo_config import cfg

from oslo_asyncio import _wsgi_options
from oslo_asyncio import opts

service_opts = opts.service_opts
periodic_opts = opts.periodic_opts
ssl_opts = _wsgi_options.ssl_opts
wsgi_opts = _wsgi_options.wsgi_opts

#: There is no backdoor here, and so nothing to configure about it.
eventlet_backdoor_opts: list[cfg.Opt] = []
