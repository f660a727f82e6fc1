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

"""The options, what is imported when, and applications from config files."""

import os
import subprocess
import sys

from oslo_config import cfg
import pytest

from oslo_asyncio import _wsgi_options
from oslo_asyncio import exceptions
from oslo_asyncio import sslutils
from oslo_asyncio import wsgi

# WebOb imports the standard library's cgi, where there is one
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:webob")

LIBRARIES = ("uvicorn", "h11", "paste.deploy", "routes", "webob")


def printed(code):
    """What a fresh interpreter prints."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=kept)
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestImport:
    def test_the_module_imports_none_of_the_libraries_behind_it(self):
        code = "import sys, oslo_asyncio.wsgi, oslo_asyncio.sslutils\n"
        code += f"print([m for m in {LIBRARIES} if m in sys.modules])"
        assert printed(code) == "[]\n"

    @pytest.mark.parametrize(
        ("library", "use", "feature"),
        [
            ("uvicorn", "wsgi.Server(CONF, 'x', None)", "Server"),
            ("paste.deploy", "wsgi.Loader(CONF)", "Loader"),
            ("routes", "wsgi.Router", "Router"),
            ("webob", "wsgi.Request", "Request"),
        ],
    )
    def test_one_that_is_not_installed_is_named_with_the_extra(
        self, library, use, feature
    ):
        said = printed(f"""
import sys
sys.modules[{library!r}] = None  # as if it were not installed
from oslo_asyncio import exceptions, wsgi
from oslo_config import cfg
CONF = cfg.ConfigOpts()
CONF([], default_config_files=[])
try:
    {use}
except exceptions.LibraryMissing as error:
    assert isinstance(error, ImportError)
    print(error)
""")
        assert said.startswith(f"oslo_asyncio.wsgi.{feature} cannot be used: ")
        end = "install what it needs: pip install 'oslo.asyncio[wsgi]'\n"
        assert said.endswith(end)

    def test_a_name_that_is_not_there_is_not_there(self):
        with pytest.raises(AttributeError, match="'Routers'"):
            _ = wsgi.Routers


class TestOptions:
    def theirs(self):
        """Options as another library would define them, with other texts."""
        for group, options in (*wsgi.list_opts(), *sslutils.list_opts()):
            for option in options:
                kind = type(option).__mro__[1]
                yield group, kind(option.name, default=option.default, help="other")

    @pytest.mark.parametrize("ours_first", [True, False])
    def test_oslo_service_may_register_its_own_beside_them(self, ours_first):
        conf = cfg.ConfigOpts()
        if ours_first:
            wsgi.register_opts(conf)
            sslutils.register_opts(conf)
        for group, option in self.theirs():
            conf.register_opt(option, group=group)
        wsgi.register_opts(conf)
        sslutils.register_opts(conf)

    def test_another_default_is_another_option(self):
        conf = cfg.ConfigOpts()
        conf.register_opt(cfg.IntOpt("tcp_keepidle", default=1))
        with pytest.raises(cfg.DuplicateOptError):
            wsgi.register_opts(conf)

    def test_they_can_be_in_a_set(self):
        assert len({*_wsgi_options.wsgi_opts, *_wsgi_options.ssl_opts}) == 13

    def test_each_has_a_help_text_that_is_a_sentence(self):
        for option in (*_wsgi_options.wsgi_opts, *_wsgi_options.ssl_opts):
            assert option.help[0].isupper() or option.help[0] == "'", option.name
            assert option.help.endswith("."), option.name

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("max_header_line", "0"),
            ("client_socket_timeout", "-1"),
            ("tcp_keepidle", "soon"),
        ],
    )
    def test_a_value_out_of_range_is_named(self, tmp_path, name, value):
        path = tmp_path / "conf"
        path.write_text(f"[DEFAULT]\n{name} = {value}\n")
        conf = cfg.ConfigOpts()
        conf(["--config-file", os.fspath(path)])
        with pytest.raises(exceptions.InvalidOption, match=name):
            wsgi.Server(conf, "test", None)


class TestLoader:
    CONFIG = """
[composite:api]
use = call:oslo_asyncio.tests.hub.test_wsgi_parts:compose
inner = hello

[app:hello]
paste.app_factory = oslo_asyncio.tests.hub.test_wsgi_parts:factory
word = hello

[pipeline:broken]
pipeline = no-such-filter hello
"""

    @pytest.fixture
    def conf(self, conf, tmp_path):
        (tmp_path / "api-paste.ini").write_text(self.CONFIG)
        wsgi.register_opts(conf)
        conf([], default_config_dirs=[os.fspath(tmp_path)], default_config_files=[])
        return conf

    def test_an_absolute_path(self, conf, tmp_path):
        path = os.fspath(tmp_path / "api-paste.ini")
        conf.set_override("api_paste_config", path)
        loader = wsgi.Loader(conf)
        assert loader.config_path == path
        assert loader.load_app("hello") == ["hello"]

    def test_a_relative_path_is_found_where_config_files_are(self, conf, tmp_path):
        (tmp_path / "extra.conf").write_text("[DEFAULT]\n")
        conf(["--config-dir", os.fspath(tmp_path)])
        loader = wsgi.Loader(conf)
        assert loader.config_path == os.fspath(tmp_path / "api-paste.ini")
        assert loader.load_app("api") == ["api of", "hello"]

    @pytest.mark.parametrize("path", ["/no/such/api-paste.ini", "no-such.ini"])
    def test_a_file_that_is_not_there(self, conf, path):
        conf.set_override("api_paste_config", path)
        with pytest.raises(wsgi.ConfigNotFound) as caught:
            wsgi.Loader(conf)
        assert caught.value.path == path

    @pytest.mark.parametrize("name", ["no-such", "broken"])
    def test_an_application_that_is_not_there(self, conf, tmp_path, name):
        path = os.fspath(tmp_path / "api-paste.ini")
        conf.set_override("api_paste_config", path)
        with pytest.raises(wsgi.PasteAppNotFound) as caught:
            wsgi.Loader(conf).load_app(name)
        assert (caught.value.name, caught.value.path) == (name, path)
        assert isinstance(caught.value.__cause__, LookupError)


def factory(global_conf, word):
    return [word]


def compose(loader, global_conf, inner):
    return ["api of", *loader.get_app(inner, global_conf=global_conf)]


class TestRouter:
    @pytest.fixture
    def answer(self):
        """The status and body of the router's answer to a request."""
        import routes

        def hello(environ, start_response):
            start_response("200 OK", [])
            _positional, matched = environ["wsgiorg.routing_args"]
            return [matched["name"].encode()]

        mapper = routes.Mapper()
        mapper.connect(None, "/hello/{name}", controller=hello)
        router = wsgi.Router(mapper)

        def answer(path):
            found = wsgi.Request.blank(path).get_response(router)
            return found.status_int, found.body

        return answer

    def test_a_route(self, answer):
        assert answer("/hello/ada") == (200, b"ada")

    def test_no_route(self, answer):
        assert answer("/bye")[0] == 404

    def test_its_names_say_where_they_are_public(self):
        for name in ("Loader", "Request", "Router", "Server"):
            assert getattr(wsgi, name).__module__ == "oslo_asyncio.wsgi"
