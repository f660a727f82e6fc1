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

import subprocess
import sys

from oslo_config import cfg
import pytest

from oslo_asyncio import _options
from oslo_asyncio import exceptions
from oslo_asyncio import opts

SERVICE = _options.service_opts
OPTIONS = [(group, option) for group, options in opts.list_opts() for option in options]


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=str)
def test_each_option_has_a_help_text_that_ends_as_a_sentence(group, option):
    assert option.help.endswith(".")


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("DEFAULT", "graceful_shutdown_timeout", "-1"),
        ("DEFAULT", "log_options", "perhaps"),
        ("oslo_asyncio", "pool_threads", "default:0"),
        ("oslo_asyncio", "pool_threads", "default"),
        ("oslo_asyncio", "pool_idle_timeout", "0"),
        ("oslo_asyncio", "resolver_timeout", "-1"),
        ("oslo_asyncio", "slow_callback_duration", "soon"),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_name_of_its_option(
    tmp_path, group, name, value
):
    path = tmp_path / "conf"
    path.write_text(f"[{group}]\n{name} = {value}\n")
    conf = cfg.ConfigOpts()
    opts.register(conf)
    conf(["--config-file", str(path)])
    with pytest.raises(exceptions.InvalidOption) as caught:
        opts.validate(conf)
    assert str(caught.value).startswith(f"[{group}] {name} is not valid: ")


def test_a_limit_of_ours_holds_when_another_library_registered_the_option(conf):
    conf.register_opt(cfg.IntOpt("graceful_shutdown_timeout", default=60, help="?"))
    opts.register(conf)
    conf.set_override("graceful_shutdown_timeout", -1)
    with pytest.raises(exceptions.InvalidOption):
        opts.validate(conf)


@pytest.mark.parametrize("ours_first", [True, False])
def test_an_option_may_be_registered_by_another_library_as_well(ours_first):
    conf = cfg.ConfigOpts()
    theirs = [
        cfg.BoolOpt("log_options", default=True, help="in other words"),
        cfg.IntOpt("graceful_shutdown_timeout", default=60, help="in other words"),
    ]
    steps = [lambda: opts.register(conf), lambda: conf.register_opts(theirs)]
    for step in steps if ours_first else reversed(steps):
        step()
    assert conf.graceful_shutdown_timeout == 60


def test_an_option_with_another_default_is_still_a_duplicate():
    conf = cfg.ConfigOpts()
    opts.register(conf)
    with pytest.raises(cfg.DuplicateOptError):
        conf.register_opt(cfg.IntOpt("graceful_shutdown_timeout", default=5))


@pytest.fixture
def defaults():
    """Puts the defaults back, which belong to the whole process."""
    before = [(option, option.default, option._set_location) for option in SERVICE]
    yield
    for option, default, location in before:
        option.default, option._set_location = default, location


@pytest.mark.usefixtures("defaults")
class TestDefaults:
    def test_a_program_may_have_other_defaults(self):
        conf = cfg.ConfigOpts()
        opts.set_service_opts_defaults(conf, graceful_shutdown_timeout=10)
        conf([], default_config_files=[])
        assert conf.graceful_shutdown_timeout == 10
        assert conf.log_options is True
        opts.register(conf)
        opts.validate(conf)
        assert conf.graceful_shutdown_timeout == 10

    def test_the_config_file_still_wins(self, tmp_path):
        path = tmp_path / "conf"
        path.write_text("[DEFAULT]\ngraceful_shutdown_timeout = 5\n")
        conf = cfg.ConfigOpts()
        opts.set_service_opts_defaults(conf, graceful_shutdown_timeout=10)
        conf(["--config-file", str(path)])
        assert conf.graceful_shutdown_timeout == 5

    def test_they_can_be_set_again(self):
        conf = cfg.ConfigOpts()
        for seconds in (10, 20):
            opts.set_service_opts_defaults(conf, graceful_shutdown_timeout=seconds)
            assert conf.graceful_shutdown_timeout == seconds

    def test_the_sample_shows_them(self):
        opts.set_service_opts_defaults(cfg.ConfigOpts(), log_options=False)
        [(_group, options), _own] = opts.list_opts()
        assert {each.name: each.default for each in options}["log_options"] is False

    def test_a_name_that_no_option_has_is_refused(self):
        conf = cfg.ConfigOpts()
        conf.register_opt(cfg.IntOpt("other"))
        with pytest.raises(cfg.NoSuchOptError, match="no such option other"):
            opts.set_service_opts_defaults(conf, other=1)

    def test_a_value_that_is_none_is_refused_and_changes_nothing(self):
        with pytest.raises(ValueError, match="Should be greater"):
            opts.set_service_opts_defaults(
                cfg.ConfigOpts(), graceful_shutdown_timeout=-1
            )
        conf = cfg.ConfigOpts()
        opts.register(conf)
        assert conf.graceful_shutdown_timeout == 60

    @pytest.mark.parametrize("ours_first", [True, False])
    def test_oslo_service_may_have_registered_the_option(self, ours_first):
        conf = cfg.ConfigOpts()
        theirs = cfg.IntOpt("graceful_shutdown_timeout", default=60, help="theirs")
        if not ours_first:
            conf.register_opt(theirs)
        opts.set_service_opts_defaults(conf, graceful_shutdown_timeout=10)
        conf.register_opt(theirs)
        opts.register(conf)
        assert conf.graceful_shutdown_timeout == 10

    def test_oslo_service_may_have_been_given_another_default(self):
        conf = cfg.ConfigOpts()
        theirs = cfg.IntOpt("graceful_shutdown_timeout", default=60, help="theirs")
        conf.register_opt(theirs)
        cfg.set_defaults([theirs], graceful_shutdown_timeout=120)
        opts.register(conf)
        assert conf.graceful_shutdown_timeout == 120


def test_projects_find_the_lists_where_oslo_service_has_them():
    names = {option.name for option in _options.service_opts}
    assert names == {"log_options", "graceful_shutdown_timeout"}
    names = {option.name for option in _options.periodic_opts}
    assert names == {"run_external_periodic_tasks"}
    assert {option.name for option in _options.ssl_opts} >= {"ca_file", "key_file"}
    assert "api_paste_config" in {option.name for option in _options.wsgi_opts}
    assert _options.eventlet_backdoor_opts == []


def test_the_sample_config_is_generated_from_the_entry_point():
    command = [sys.executable, "-m", "oslo_config.generator"]
    command += ["--namespace", "oslo.asyncio"]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    for _group, option in OPTIONS:
        assert f"#{option.name} = " in made.stdout
