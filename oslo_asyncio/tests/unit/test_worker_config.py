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

"""A reload of the configuration takes all of the new values or none."""

import fixtures
from oslo_config import cfg
import testtools
from testtools import matchers

from oslo_asyncio import opts
from oslo_asyncio._worker import config


class ReadAgainTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.path = self.useFixture(fixtures.TempDir()).join("conf")
        self.conf = cfg.ConfigOpts()
        opts.register(self.conf)
        self.conf.register_opt(cfg.IntOpt("size", min=0, default=1, mutable=True))
        self.conf.register_opt(cfg.IntOpt("other", min=0, default=1, mutable=True))
        self.conf.register_opt(cfg.IntOpt("fixed", default=1))
        self.write("size = 1")
        self.conf(["--config-file", self.path])

    def write(self, text):
        with open(self.path, "w") as file:
            file.write(f"[DEFAULT]\n{text}\n")

    def test_new_values_are_there_afterwards(self):
        for method in config.RESTART_METHODS:
            self.write("size = 7")
            self.assertTrue(config.read_again(self.conf, method))
            self.assertEqual(7, self.conf.size)

    def test_mutate_leaves_options_alone_that_are_not_mutable(self):
        self.write("fixed = 2")
        self.assertTrue(config.read_again(self.conf, "mutate"))
        self.assertEqual(1, self.conf.fixed)

    def test_a_file_that_cannot_be_parsed_changes_nothing(self):
        for method in config.RESTART_METHODS:
            self.write("size = 7\nno equals sign")
            self.assertFalse(config.read_again(self.conf, method))
            self.assertEqual(1, self.conf.size)
            self.assertThat(self.log.output, matchers.Contains("the old one stays"))

    def test_a_value_that_its_option_refuses_changes_nothing(self):
        for method in config.RESTART_METHODS:
            self.write("other = 5\nsize = -7")
            self.assertFalse(config.read_again(self.conf, method))
            self.assertEqual((1, 1), (self.conf.size, self.conf.other))

    def test_a_value_of_ours_that_is_refused_changes_nothing(self):
        self.write("other = 5\ngraceful_shutdown_timeout = -7")
        self.assertFalse(config.read_again(self.conf, "reload"))
        self.assertEqual(60, self.conf.graceful_shutdown_timeout)
        self.assertEqual(1, self.conf.other)

    def test_a_value_that_was_refused_before_does_not_stand_in_the_way(self):
        self.write("size = -1")
        self.conf.reload_config_files()
        self.write("size = -1\nother = 5")
        self.assertTrue(config.read_again(self.conf, "reload"))
        self.assertEqual(5, self.conf.other)

    def test_a_hook_that_fails_takes_the_change_back(self):
        def hook(_conf, _fresh):
            raise RuntimeError("no such level")

        self.conf.register_mutate_hook(hook)
        self.write("size = 7")
        self.assertFalse(config.read_again(self.conf, "mutate"))
        self.assertEqual(1, self.conf.size)
        self.assertThat(self.log.output, matchers.Contains("no such level"))
