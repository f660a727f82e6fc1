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

from oslo_asyncio import exceptions
from oslo_asyncio import opts

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


def test_the_sample_config_is_generated_from_the_entry_point():
    command = [sys.executable, "-m", "oslo_config.generator"]
    command += ["--namespace", "oslo.asyncio"]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    for _group, option in OPTIONS:
        assert f"#{option.name} = " in made.stdout
