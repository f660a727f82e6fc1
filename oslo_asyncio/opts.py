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

"""Every option of this library, each defined once."""

from typing import Any

from oslo_config import cfg
from oslo_config import types

from oslo_asyncio import exceptions

GROUP = "oslo_asyncio"


class _SharedIntOpt(cfg.IntOpt):
    """An option that oslo.service defines as well.

    Both libraries may be loaded in one process, and oslo.config refuses a
    second definition that differs in as little as its help text.  What has to
    agree is the name, and the default unless a program has set another one;
    Python asks the subclass first, on whichever side it stands.
    """

    def __eq__(self, other: object) -> bool:
        return _same_meaning(self, other)

    def __ne__(self, other: object) -> bool:
        return not _same_meaning(self, other)

    __hash__ = cfg.IntOpt.__hash__


class _SharedBoolOpt(cfg.BoolOpt):
    __eq__ = _SharedIntOpt.__eq__
    __ne__ = _SharedIntOpt.__ne__
    __hash__ = cfg.BoolOpt.__hash__


def _same_meaning(ours: cfg.Opt, other: object) -> bool:
    return (
        isinstance(other, cfg.Opt)
        and ours.dest == other.dest
        and (ours.default == other.default or _is_set(ours) or _is_set(other))
    )


def _is_set(option: cfg.Opt) -> bool:
    """Whether a program has given it another default (``cfg.set_defaults``)."""
    location = getattr(option._set_location, "location", None)
    return bool(location is cfg.Locations.set_default)


service_opts: list[cfg.Opt] = [
    _SharedBoolOpt(
        "log_options",
        default=True,
        help="Log the value of every registered option, at DEBUG level, when "
        "a service starts.",
    ),
    _SharedIntOpt(
        "graceful_shutdown_timeout",
        default=60,
        min=0,
        help="Seconds that a service is given to stop after SIGTERM. What is "
        "still running then is named in the log with its stack, and the "
        "process ends with status 1. 0 waits without a limit.",
    ),
]

periodic_opts: list[cfg.Opt] = [
    _SharedBoolOpt(
        "run_external_periodic_tasks",
        default=True,
        help="Whether this service runs the periodic tasks that may run in a "
        "separate process instead.",
    ),
]

hub_opt = cfg.StrOpt(
    "hub",
    default="asyncio",
    help="The hub that runs the services of this process: 'asyncio' (the "
    "standard library's loop; sync code runs in native threads), 'uvloop' (the "
    "same on libuv; needs the extra oslo.asyncio[uvloop]), 'eventlet' (sync "
    "code runs in green threads beside the loop; needs oslo.asyncio[eventlet]), "
    "or a hub that another package adds to the entry point group "
    "oslo_asyncio.hubs. The environment variable OSLO_ASYNCIO_HUB overrides it.",
)

hub_opts: list[cfg.Opt] = [
    hub_opt,
    cfg.Opt(
        "pool_threads",
        type=types.Dict(value_type=types.Integer(min=1)),
        default={},
        sample_default="default:64,resolver:64",
        help="How many native threads each named pool may have, as "
        "name:number pairs. 'default' runs blocking calls (run_blocking, "
        "run_in_executor, asyncio.to_thread), 'resolver' runs name look-ups; a "
        "service may add pools of its own. A pool that is not named here keeps "
        "its own number, 64 for these two. Threads start when they are needed.",
    ),
    cfg.FloatOpt(
        "pool_idle_timeout",
        default=10.0,
        min=0.1,
        help="Seconds after which a pool's idle thread leaves.",
    ),
    cfg.StrOpt(
        "resolver",
        default="threads",
        help="What looks up host names for the loop: 'threads' (the system's "
        "getaddrinfo in a pool of its own), 'aiodns' (c-ares; needs the extra "
        "oslo.asyncio[aiodns]), or a resolver that another package adds to the "
        "entry point group oslo_asyncio.resolvers.",
    ),
    cfg.FloatOpt(
        "resolver_timeout",
        default=30.0,
        min=0,
        help="Seconds after which a name look-up fails with a temporary error. "
        "0 leaves the limit to the system's resolver.",
    ),
    cfg.IntOpt(
        "rpc_concurrency",
        default=64,
        min=1,
        help="How many calls an RPC server with async endpoints, or messages a "
        "notification listener, may have in flight in one worker. With so many "
        "it takes no more from the broker, where other workers find them. Sync "
        "endpoints have executor_thread_pool_size threads as well.",
    ),
    cfg.FloatOpt(
        "slow_callback_duration",
        default=0.0,
        min=0,
        help="Log the stack of whatever blocks the loop for longer than this "
        "many seconds, while it blocks. 0 switches the watcher off; it costs "
        "one wake-up of the loop per half of this time.",
    ),
    cfg.FloatOpt(
        "worker_start_timeout",
        default=600.0,
        min=0,
        help="Seconds within which a worker process has to get ready, that is, "
        "until start() of its services has returned. One that takes longer is "
        "ended and started again; while the service is reloaded, the reload ends "
        "and the old workers go on. 0: no limit.",
    ),
    cfg.FloatOpt(
        "worker_heartbeat_timeout",
        default=0.0,
        min=0,
        help="Seconds for which the loop of a ready worker may be blocked. A "
        "worker that is silent for longer gets SIGABRT, dumps the stacks of its "
        "threads to stderr and is replaced. A service in one process dumps its "
        "stacks and ends with status 1. Costs four wake-ups of each worker per "
        "this time. 0: workers are not watched.",
    ),
    cfg.FloatOpt(
        "worker_max_lifetime",
        default=0.0,
        min=0,
        help="Seconds after which a worker process is replaced by a new one, one "
        "at a time; each draws its own limit from the last tenth of this time. "
        "0: workers stay.",
    ),
    cfg.IntOpt(
        "worker_max_rss",
        default=0,
        min=0,
        help="MiB of memory (resident set size) with which a worker process is "
        "replaced by a new one, one at a time; each draws its own limit from the "
        "last tenth of it. Measured with each heartbeat, or every 10 seconds. 0: "
        "no limit.",
    ),
    cfg.StrOpt(
        "reload_order",
        default="auto",
        choices=[
            ("auto", "start_first for a service with two or more workers"),
            ("start_first", "the new worker is ready before the old one stops"),
            ("stop_first", "the old worker has gone before the new one starts"),
        ],
        help="How workers are replaced by a reload (SIGHUP, restart method "
        "'reload') and when they are recycled: one at a time, in this order.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Register all options of this library with ``conf``.  Cheap to repeat.

    :param conf: the configuration of the program.
    """
    register_service_opts(conf)
    conf.register_opts(hub_opts, group=GROUP)


def register_service_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options that oslo.service has for services.

    That is ``log_options`` and ``graceful_shutdown_timeout``, for a program that
    reads them before it launches anything; a launcher registers them itself.

    :param conf: the configuration of the program.

    >>> from oslo_config import cfg
    >>> from oslo_asyncio import opts
    >>> conf = cfg.ConfigOpts()
    >>> opts.register_service_opts(conf)
    >>> conf.graceful_shutdown_timeout
    60
    """
    conf.register_opts(service_opts)


def set_service_opts_defaults(conf: cfg.ConfigOpts, **kwargs: Any) -> None:
    """Give the options of :func:`register_service_opts` other defaults.

    The sample config file shows them as well.

    :param conf: the configuration of the program; the options are registered.
    :param kwargs: names of options and their new defaults.
    :raises NoSuchOptError: (oslo.config) for any other name.

    >>> from oslo_config import cfg
    >>> from oslo_asyncio import opts
    >>> conf = cfg.ConfigOpts()
    >>> opts.set_service_opts_defaults(conf, graceful_shutdown_timeout=180)
    >>> conf.graceful_shutdown_timeout
    180
    """
    register_service_opts(conf)
    for name in kwargs:
        if name not in {option.dest for option in service_opts}:
            raise cfg.NoSuchOptError(name)
    for name, default in kwargs.items():
        # oslo.service may have registered its own option, with its own default
        conf.set_default(name, default)
    cfg.set_defaults(service_opts, **kwargs)


def validate(conf: cfg.ConfigOpts) -> None:
    """Read every option of this library once.

    :param conf: a configuration with the options registered and files parsed.
    :raises InvalidOption: for the first value that its option does not allow.
    """
    for group, options in ((None, service_opts), (GROUP, hub_opts)):
        for option in options:
            try:
                # oslo.service may have registered the option first, without
                # our limits: the type is asked again
                option.type(value(conf, option, group))
            except (cfg.ConfigFileValueError, ValueError) as error:
                raise exceptions.InvalidOption(
                    option.name, group or "DEFAULT", _reason(error)
                ) from None


def value(conf: cfg.ConfigOpts, option: cfg.Opt, group: str | None = None) -> Any:
    """The value of ``option``, which may be mutated later."""
    return conf[group][option.dest] if group else conf[option.dest]


def _reason(error: Exception) -> str:
    # oslo.config repeats the option's name first, in a form of its own
    text = str(error)
    return text.split(" is not valid: ", 1)[-1]


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """The options for oslo-config-generator and the documentation."""
    return [(None, [*service_opts, *periodic_opts]), (GROUP, list(hub_opts))]
