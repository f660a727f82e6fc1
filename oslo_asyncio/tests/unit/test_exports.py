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

"""The public names: each has a docstring that says what a user must know."""

import importlib
import inspect

import pytest

PUBLIC = {
    "oslo_asyncio": ["worker_id"],
    "oslo_asyncio.service": [
        "Launcher",
        "ProcessLauncher",
        "Service",
        "ServiceBase",
        "ServiceLauncher",
        "ServiceWrapper",
        "Services",
        "SignalExit",
        "SignalHandler",
        "Singleton",
        "launch",
        "list_opts",
        "listen",
        "listen_unix",
        "on_worker_exit",
        "on_worker_start",
    ],
    "oslo_asyncio.hub": [
        "Characteristic",
        "Hub",
        "SyncTask",
        "current",
        "installed",
        "load",
        "run_async",
        "run_sync",
        "setup",
    ],
    "oslo_asyncio.executor": [
        "Figures",
        "Pool",
        "add_pool",
        "figures",
        "get_pool",
        "pools",
        "run_blocking",
    ],
    "oslo_asyncio.backend": [
        "BackendType",
        "get_backend_type",
        "init_backend",
        "register_backend_default_hook",
    ],
    "oslo_asyncio.fixture": ["FakeClock", "SleepFixture"],
    "oslo_asyncio.loopingcall": [
        "BackOffLoopingCall",
        "DynamicLoopingCall",
        "FixedIntervalLoopingCall",
        "FixedIntervalWithTimeoutLoopingCall",
        "LoopingCallBase",
        "LoopingCallDone",
        "LoopingCallTimeOut",
        "Outcome",
        "RetryDecorator",
    ],
    "oslo_asyncio.threadgroup": ["Thread", "ThreadGroup", "stopping"],
    "oslo_asyncio.resolver": ["Lookups", "Resolver", "find", "installed"],
    "oslo_asyncio.opts": [
        "list_opts",
        "register",
        "register_service_opts",
        "set_service_opts_defaults",
        "validate",
    ],
    "oslo_asyncio.periodic_task": [
        "InvalidPeriodicTaskArg",
        "PeriodicTasks",
        "list_opts",
        "now",
        "periodic_task",
    ],
    "oslo_asyncio.sslutils": [
        "context",
        "is_enabled",
        "list_opts",
        "register_opts",
        "wrap",
    ],
    "oslo_asyncio.wsgi": [
        "ConfigNotFound",
        "InvalidInput",
        "Loader",
        "PasteAppNotFound",
        "Server",
        "list_opts",
        "register_opts",
    ],
    "oslo_asyncio.messaging": [
        "AsyncNotificationListener",
        "AsyncRPCClient",
        "AsyncRPCServer",
        "expected_exceptions",
        "get_notification_listener",
        "get_rpc_client",
        "get_rpc_server",
    ],
    "oslo_asyncio.takeover": ["run", "take_over"],
    "oslo_asyncio.systemd": [
        "Notifier",
        "listen_fds",
        "notify",
        "notify_once",
        "onready",
    ],
}
NAMES = [(module, name) for module, names in PUBLIC.items() for name in names]


def public(module, name):
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_public_name_has_a_docstring(module, name):
    assert inspect.getdoc(public(module, name))


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_public_function_documents_each_of_its_arguments(module, name):
    found = public(module, name)
    if not inspect.isfunction(found):
        return
    text = inspect.getdoc(found)
    for argument in inspect.signature(found).parameters.values():
        if argument.kind not in (argument.VAR_KEYWORD, argument.VAR_POSITIONAL):
            if argument.name in ("family", "type", "proto", "flags", "port"):
                continue
            assert argument.name in text, argument


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_public_signature_is_annotated(module, name):
    found = public(module, name)
    if inspect.isfunction(found):
        signature = inspect.signature(found)
        assert signature.return_annotation is not signature.empty
        for argument in signature.parameters.values():
            assert argument.annotation is not argument.empty, argument


@pytest.mark.parametrize("name", PUBLIC["oslo_asyncio.service"])
def test_a_public_name_says_where_it_is_public(name):
    assert public("oslo_asyncio.service", name).__module__ == "oslo_asyncio.service"
