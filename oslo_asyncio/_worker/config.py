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

"""Reading the config files again, all or nothing."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import logging
from typing import Any

from oslo_config import cfg

from oslo_asyncio import exceptions
from oslo_asyncio import opts

LOG = logging.getLogger(__name__)

RESTART_METHODS = ("reload", "mutate")


def read_again(conf: cfg.ConfigOpts, method: str) -> bool:
    """Read the files of ``conf`` again; on the loop's thread.

    One turn of the loop sees either the old values or the new ones: nothing
    else runs on the loop meanwhile.  Sync code beside the loop may read one
    value before and one after.

    :param method: ``"reload"``, or ``"mutate"`` for the mutable options only.
    :returns: False when the files are bad: one line has said why, and every
        old value stands.
    """
    before = _refused(conf)
    try:
        with _all_or_nothing(conf):
            if method == "mutate":
                conf.mutate_config_files()
            elif not conf.reload_config_files():
                raise exceptions.InvalidConfigFile("see the warning before this line")
            opts.validate(conf)
            for option, error in _refused(conf).items():
                if option not in before:
                    raise error
    except (Exception, SystemExit) as error:
        LOG.error(
            "The configuration was not changed, the old one stays: %(reason)s",
            {"reason": error},
        )
        return False
    return True


def _refused(conf: cfg.ConfigOpts) -> dict[tuple[str, str], Exception]:
    """The options whose value cannot be read, the application's among them.

    oslo.config looks at a value when somebody asks for it; after a reload that
    would be some request, much later.
    """
    found: dict[tuple[str, str], Exception] = {}
    for name in conf:
        value = _read(conf, name, found, "DEFAULT")
        if isinstance(value, cfg.ConfigOpts.GroupAttr):
            for inner in value:
                _read(value, inner, found, name)
    return found


def _read(
    values: Any, name: str, found: dict[tuple[str, str], Exception], group: str
) -> Any:
    try:
        return values[name]
    except (cfg.Error, ValueError) as error:
        found[group, name] = error
        return None


def snapshot(conf: cfg.ConfigOpts) -> Callable[[], None]:
    """What takes everything back that is read from now on.

    oslo.config installs new values before it has looked at them, and has no
    way back; the two names are private and as old as the feature.
    """
    before = conf._namespace, conf._mutable_ns

    def restore() -> None:
        conf._namespace, conf._mutable_ns = before
        conf.unregister_opts([])  # empties its cache of values

    return restore


@contextlib.contextmanager
def _all_or_nothing(conf: cfg.ConfigOpts) -> Iterator[None]:
    restore = snapshot(conf)
    try:
        yield
    except BaseException:
        restore()
        raise
