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

"""TLS from the options in [ssl]."""

import asyncio
import contextlib
import os
import socket
import ssl

import pytest
import trustme

from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions
from oslo_asyncio import sslutils


@pytest.fixture
def authority():
    """A certificate authority."""
    return trustme.CA()


@pytest.fixture
def configure(conf, tmp_path, authority):
    """A configuration with a certificate for localhost and the given options."""
    made = authority.issue_cert("localhost")
    made.private_key_pem.write_to_path(tmp_path / "key")
    for part in made.cert_chain_pems:
        part.write_to_path(tmp_path / "cert", append=True)
    authority.cert_pem.write_to_path(tmp_path / "ca")

    def configure(**options):
        sslutils.register_opts(conf)
        files = {name: os.fspath(tmp_path / name) for name in ("cert", "key", "ca")}
        found = {"cert_file": files["cert"], "key_file": files["key"], **options}
        if found.get("ca_file") is True:
            found["ca_file"] = files["ca"]
        for name, value in found.items():
            conf.set_override(name, value, "ssl")
        return conf

    return configure


class TestIsEnabled:
    def test_by_default_it_is_not(self, conf):
        assert sslutils.is_enabled(conf) is False

    def test_with_a_certificate_and_a_key_it_is(self, configure):
        assert sslutils.is_enabled(configure(ca_file=True)) is True

    @pytest.mark.parametrize("name", ["cert_file", "key_file", "ca_file"])
    def test_a_file_that_is_missing(self, configure, name):
        with pytest.raises(RuntimeError) as caught:
            sslutils.is_enabled(configure(**{name: "/no/such"}))
        assert str(caught.value) == (
            f"[ssl] {name} cannot be used: there is no file '/no/such'"
        )

    @pytest.mark.parametrize(
        ("name", "other"), [("cert_file", "key_file"), ("key_file", "cert_file")]
    )
    def test_one_without_the_other(self, configure, name, other):
        with pytest.raises(RuntimeError) as caught:
            sslutils.is_enabled(configure(**{name: None}))
        assert str(caught.value) == (
            f"[ssl] {name} cannot be used: it is not set, and {other} is"
        )


class TestContext:
    def test_it_speaks_tls_1_2_and_newer_and_asks_for_no_certificate(self, configure):
        context = sslutils.context(configure())
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.verify_mode == ssl.CERT_NONE

    def test_with_a_ca_file_clients_need_a_certificate(self, configure):
        context = sslutils.context(configure(ca_file=True))
        assert context.verify_mode == ssl.CERT_REQUIRED

    @pytest.mark.parametrize(
        ("version", "lowest", "highest"),
        [
            ("SSLv23", "TLSv1_2", "MAXIMUM_SUPPORTED"),
            ("TLSv1_2", "TLSv1_2", "TLSv1_2"),
            ("tlsv1_3", "TLSv1_3", "TLSv1_3"),
        ],
    )
    def test_a_version(self, configure, version, lowest, highest):
        context = sslutils.context(configure(version=version))
        assert context.minimum_version == ssl.TLSVersion[lowest]
        assert context.maximum_version in (
            ssl.TLSVersion[highest],
            # what OpenSSL makes of the maximum where it is the same
            *([ssl.TLSVersion.TLSv1_3] if highest == lowest == "TLSv1_3" else []),
        )

    @pytest.mark.parametrize("version", ["SSLv2", "sslv3", "TLSv1", "tlsv1_1"])
    def test_a_version_that_is_broken_is_refused(self, configure, version):
        with pytest.raises(RuntimeError) as caught:
            sslutils.context(configure(version=version))
        assert str(caught.value) == (
            f"[ssl] version cannot be used: {version!r} can be broken by whoever "
            f"listens; take the line out, or use tlsv1_2 or tlsv1_3"
        )

    def test_a_version_that_nobody_knows_is_refused(self, configure):
        with pytest.raises(exceptions.InvalidTls, match="'tls9' is unknown; "):
            sslutils.context(configure(version="tls9"))

    def test_ciphers(self, configure):
        name = "ECDHE-RSA-AES256-GCM-SHA384"
        context = sslutils.context(configure(ciphers=name, version="tlsv1_2"))
        assert name in [cipher["name"] for cipher in context.get_ciphers()]

    @pytest.mark.parametrize(
        "options",
        [
            {"ciphers": "none of these"},
            {"ca_file": __file__},
            {"cert_file": __file__},
            {"cert_file": None, "key_file": None},
        ],
    )
    def test_what_cannot_be_used_is_named(self, configure, options):
        with pytest.raises(exceptions.InvalidTls) as caught:
            sslutils.context(configure(**options))
        assert next(iter(options)) in str(caught.value)


def test_wrap_serves_tls_in_sync_code(run, configure, authority):
    conf = configure()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    def serve(listener):
        connection, _address = listener.accept()
        with contextlib.closing(connection):
            connection.sendall(b"hello")
            connection.unwrap().close()

    async def main():
        native = _unpatched.socket.create_server(("127.0.0.1", 0))
        with native, socket.socket(fileno=native.detach()) as plain:
            from oslo_asyncio import hub

            with sslutils.wrap(conf, plain) as listener:
                serving = asyncio.ensure_future(hub.run_sync(serve, listener))
                reader, writer = await asyncio.open_connection(
                    *listener.getsockname(), ssl=trusting, server_hostname="localhost"
                )
                found = await reader.read()
                writer.close()
                await serving
                return found

    assert run(main) == b"hello"


def test_the_options_are_listed():
    [(group, options)] = sslutils.list_opts()
    assert group == sslutils.config_section == "ssl"
    names = [option.dest for option in options]
    assert names == ["ca_file", "cert_file", "key_file", "version", "ciphers"]
