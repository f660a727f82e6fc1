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

"""designate-central's main(), which asks for workers that a reload replaces.

Its own asks for ``restart_method='mutate'``; nova, heat and others ask for this.
"""

import sys

from designate import rpc
from designate import utils
from designate.central import service as central
import designate.cmd  # sets defaults, as in each of its programs
import designate.conf
from oslo_log import log as logging
from oslo_service import service


def main() -> int:
    conf = designate.conf.CONF
    utils.read_config("designate", sys.argv)
    logging.setup(conf, "designate")
    server = central.Service()
    workers = conf["service:central"].workers
    launcher = service.launch(conf, server, workers=workers, restart_method="reload")
    try:
        return launcher.wait()
    finally:
        rpc.cleanup()


if __name__ == "__main__":
    sys.exit(main())
