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

"""TLS for servers, from the options in ``[ssl]``.

>>> from oslo_config import cfg
>>> from oslo_asyncio import sslutils
>>> conf = cfg.ConfigOpts()
>>> conf([])
>>> sslutils.is_enabled(conf)
False
"""

import copy
import os
import socket
import ssl

from oslo_config import cfg

from oslo_asyncio import _wsgi_options
from oslo_asyncio import exceptions

__all__ = (
    "config_section",
    "context",
    "is_enabled",
    "list_opts",
    "register_opts",
    "wrap",
)

#: the section of the options in config files
config_section = _wsgi_options.SSL_GROUP

_TLS_1_2 = ssl.TLSVersion.TLSv1_2
_TLS_1_3 = ssl.TLSVersion.TLSv1_3
_VERSIONS = {
    "sslv23": (_TLS_1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED),
    "tlsv1_2": (_TLS_1_2, _TLS_1_2),
    "tlsv1_3": (_TLS_1_3, _TLS_1_3),
}
#: what oslo.service accepted and nobody should use (RFC 7568, RFC 8996)
_BROKEN = ("sslv2", "sslv3", "tlsv1", "tlsv1_1")
_FILES = ("cert_file", "ca_file", "key_file")


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options for oslo-config-generator."""
    return [(config_section, copy.deepcopy(_wsgi_options.ssl_opts))]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options in ``[ssl]``.

    :param conf: the configuration of the program.
    """
    _wsgi_options.register_ssl(conf)


def is_enabled(conf: cfg.ConfigOpts) -> bool:
    """Whether the configuration has a certificate and a key.

    :param conf: the configuration of the program; the options are registered
        with it.
    :raises InvalidTls: a file is missing, or one of the two is not set.  It is
        a RuntimeError.
    """
    register_opts(conf)
    own = conf[config_section]
    for option in _FILES:
        path = own[option]
        if path and not os.path.exists(path):
            raise exceptions.InvalidTls(option, f"there is no file {path!r}")
    if own.cert_file and not own.key_file:
        raise exceptions.InvalidTls("key_file", "it is not set, and cert_file is")
    if own.key_file and not own.cert_file:
        raise exceptions.InvalidTls("cert_file", "it is not set, and key_file is")
    return bool(own.cert_file)


def context(conf: cfg.ConfigOpts) -> ssl.SSLContext:
    """A TLS context for servers: TLS 1.2 or newer.

    Clients need a certificate if ``ca_file`` is set, and only then.  Make a
    new context when the files have changed.

    :param conf: the configuration of the program; the options are registered
        with it.
    :raises InvalidTls: a file is missing or cannot be used, no certificate is
        configured, or ``version`` is unknown or broken.
    """
    if not is_enabled(conf):
        raise exceptions.InvalidTls("cert_file", "it is not set, nor is key_file")
    own = conf[config_section]
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version, made.maximum_version = _versions(own.version)
    try:
        made.load_cert_chain(own.cert_file, own.key_file)
    except (OSError, ssl.SSLError) as error:
        raise exceptions.InvalidTls("cert_file, key_file", error) from None
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    if own.ca_file:
        made.verify_mode = ssl.CERT_REQUIRED
        try:
            made.load_verify_locations(own.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise exceptions.InvalidTls("ca_file", error) from None
    if own.ciphers:
        try:
            made.set_ciphers(own.ciphers)
        except ssl.SSLError as error:
            raise exceptions.InvalidTls("ciphers", error) from None
    return made


def wrap(conf: cfg.ConfigOpts, sock: socket.socket) -> ssl.SSLSocket:
    """The TLS side of a server's socket, for sync code.

    :param conf: the configuration of the program.
    :param sock: a listening socket, or an accepted one.
    :raises InvalidTls: as :func:`context`.
    """
    return context(conf).wrap_socket(sock, server_side=True)


def _versions(configured: str | None) -> tuple[ssl.TLSVersion, ssl.TLSVersion]:
    key = (configured or "sslv23").lower()
    if key in _VERSIONS:
        return _VERSIONS[key]
    reason = f"{configured!r} is unknown"
    if key in _BROKEN:
        reason = f"{configured!r} can be broken by whoever listens"
    raise exceptions.InvalidTls(
        "version", f"{reason}; take the line out, or use tlsv1_2 or tlsv1_3"
    )
