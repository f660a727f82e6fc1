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

"""Applications from paste.deploy's config files."""

import os
from typing import Any

from oslo_config import cfg

from oslo_asyncio import _wsgi_options
from oslo_asyncio import exceptions


class Loader:
    """Loads the applications that a paste.deploy config file describes.

    :param conf: the program's configuration, already parsed; its option
        ``api_paste_config`` names the file.
    :ivar config_path: the file that was found.
    :raises ConfigNotFound: there is no such file.
    :raises LibraryMissing: ``pip install 'oslo.asyncio[wsgi]'``

    >>> from oslo_config import cfg
    >>> from oslo_asyncio import wsgi
    >>> conf = cfg.ConfigOpts()
    >>> conf([])
    >>> wsgi.Loader(conf)
    Traceback (most recent call last):
        ...
    oslo_asyncio.exceptions.ConfigNotFound: there is no paste.deploy config \
file 'api-paste.ini'; set [DEFAULT] api_paste_config
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        _wsgi_options.register_wsgi(conf)
        self._deploy = _import_deploy()
        self.config_path = _find(conf)

    def load_app(self, name: str) -> Any:
        """The application with this name.

        :param name: as in ``[app:name]``, ``[composite:name]`` or
            ``[pipeline:name]``.
        :raises PasteAppNotFound: the file does not describe it.
        """
        try:
            return self._deploy.loadapp(f"config:{self.config_path}", name=name)
        except LookupError as error:
            raise exceptions.PasteAppNotFound(name, self.config_path) from error


def _find(conf: cfg.ConfigOpts) -> str:
    path = str(conf.api_paste_config)
    if os.path.isabs(path):
        found = path if os.path.exists(path) else None
    else:
        found = conf.find_file(path)
    if not found:
        raise exceptions.ConfigNotFound(path)
    return str(found)


def _import_deploy() -> Any:
    try:
        from paste import deploy
    except ImportError as error:
        raise exceptions.LibraryMissing(
            "oslo_asyncio.wsgi.Loader", "wsgi", error
        ) from None
    return deploy
