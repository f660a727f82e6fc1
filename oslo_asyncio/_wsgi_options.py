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

"""The options of ``wsgi`` and ``sslutils``, each defined once.

They have the names, types and defaults of oslo.service's, see ``opts``, and none
of them is deprecated here.
"""

from oslo_config import cfg

from oslo_asyncio import exceptions
from oslo_asyncio import opts

#: the section of the TLS options
SSL_GROUP = "ssl"


class _SharedStrOpt(cfg.StrOpt):
    __eq__ = opts._SharedIntOpt.__eq__
    __ne__ = opts._SharedIntOpt.__ne__
    __hash__ = cfg.StrOpt.__hash__


wsgi_opts: list[cfg.Opt] = [
    _SharedStrOpt(
        "api_paste_config",
        default="api-paste.ini",
        help="The paste.deploy config file of the API. A relative path is looked "
        "for where oslo.config looks for config files.",
    ),
    _SharedStrOpt(
        "wsgi_log_format",
        default='%(client_ip)s "%(request_line)s" status: %(status_code)s  len: '
        "%(body_length)s time: %(wall_seconds).7f",
        help="What is logged of each request that has been answered, as a Python "
        "format string. It may contain client_ip, date_time, request_line, "
        "status_code, body_length (bytes of the response's body) and wall_seconds.",
    ),
    opts._SharedIntOpt(
        "tcp_keepidle",
        default=600,
        min=1,
        help="Seconds for which a TCP connection is silent before the kernel "
        "probes whether its client still exists (TCP_KEEPIDLE).",
    ),
    opts._SharedIntOpt(
        "wsgi_default_pool_size",
        default=100,
        min=1,
        help="How many requests of one worker an application handles at the same "
        "time, unless the server is made with a pool_size. Further ones wait; "
        "idle connections do not count.",
    ),
    opts._SharedIntOpt(
        "max_header_line",
        default=16384,
        min=1,
        help="Bytes that one header of a request may have, name included. A longer "
        "one is answered with status 431. Large tokens may need more.",
    ),
    opts._SharedBoolOpt(
        "wsgi_keep_alive",
        default=True,
        help="Let clients send several requests on one connection. Otherwise it is "
        "closed after the first.",
    ),
    opts._SharedIntOpt(
        "client_socket_timeout",
        default=900,
        min=0,
        help="Seconds for which the server waits for a client: for its request, "
        "for more of a request's body, or until it reads more of the response. "
        "Then the connection is closed. 0 waits without a limit.",
    ),
    opts._SharedBoolOpt(
        "wsgi_server_debug",
        default=False,
        help="Send the traceback to the client when the application fails. "
        "Otherwise status 500 has an empty body.",
    ),
]

ssl_opts: list[cfg.Opt] = [
    _SharedStrOpt(
        "ca_file",
        help="File with the CA certificates that clients' certificates are "
        "verified with. Clients need a certificate if it is set.",
    ),
    _SharedStrOpt(
        "cert_file",
        help="File with the certificate of the server, and those between it and "
        "its CA.",
    ),
    _SharedStrOpt(
        "key_file",
        help="File with the private key of the server.",
    ),
    _SharedStrOpt(
        "version",
        help="'tlsv1_2' or 'tlsv1_3' for this version of TLS alone. Without it, "
        "or with 'sslv23', client and server choose the newest that both know, "
        "TLS 1.2 at least. Older versions are refused.",
    ),
    _SharedStrOpt(
        "ciphers",
        help="Ciphers of TLS 1.2 that the server accepts, in OpenSSL's cipher list "
        "format. Without it, Python's default.",
    ),
]


def register_wsgi(conf: cfg.ConfigOpts) -> None:
    """Register the options of ``wsgi``.  Cheap to repeat."""
    conf.register_opts(wsgi_opts)


def register_ssl(conf: cfg.ConfigOpts) -> None:
    """Register the options of ``sslutils``.  Cheap to repeat."""
    conf.register_opts(ssl_opts, group=SSL_GROUP)


def validate_wsgi(conf: cfg.ConfigOpts) -> None:
    """Read every option of ``wsgi`` once.

    :raises InvalidOption: for the first value that its option does not allow.
    """
    for option in wsgi_opts:
        try:
            # oslo.service may have registered the option first, without limits
            option.type(opts.value(conf, option))
        except (cfg.ConfigFileValueError, ValueError) as error:
            reason = str(error).split(" is not valid: ", 1)[-1]
            raise exceptions.InvalidOption(option.name, "DEFAULT", reason) from None
