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
"""Classes of which there is one object, and what is told of signals by name."""

import signal
import sys
import threading

import pytest

from oslo_asyncio import service
from oslo_asyncio._worker import handlers


@pytest.fixture
def handler():
    yield service.SignalHandler()
    handlers.clear()


@pytest.fixture
def eager_switches():
    """The interpreter switches threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class TestSingleton:
    def test_it_is_made_once_with_the_arguments_of_the_first_call(self):
        class One(metaclass=service.Singleton):
            def __init__(self, what):
                self.what = what

        assert One(1) is One(2)
        assert One(3).what == 1

    def test_a_subclass_has_an_object_of_its_own(self):
        class One(metaclass=service.Singleton): ...

        class Other(One): ...

        assert One() is not Other()
        assert type(One()) is One
        assert type(Other()) is Other

    def test_one_may_need_another(self):
        class One(metaclass=service.Singleton): ...

        class Other(metaclass=service.Singleton):
            def __init__(self):
                self.one = One()

        assert Other().one is One()

    @pytest.mark.usefixtures("eager_switches")
    def test_many_threads_get_the_same(self):
        made, barrier = [], threading.Barrier(8)

        class One(metaclass=service.Singleton):
            def __init__(self):
                made.append(self)
                for _ in range(10**6):  # in which the interpreter switches threads
                    pass

        found = []

        def look():
            barrier.wait()
            found.append(One())

        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 1
        assert found == made * 8

    def test_one_that_cannot_be_made_can_be_tried_again(self):
        class One(metaclass=service.Singleton):
            fails = True

            def __init__(self):
                if self.fails:
                    raise LookupError

        with pytest.raises(LookupError):
            One()
        One.fails = False
        assert One() is One()


class TestSignalHandler:
    def test_there_is_one(self, handler):
        assert service.SignalHandler() is handler

    def test_it_knows_the_signals_of_this_system(self, handler):
        assert handler.is_signal_supported("SIGUSR1")
        assert not handler.is_signal_supported("SIGBREAK")
        assert handler.signals_to_name[signal.SIGUSR1] == "SIGUSR1"

    def test_a_signal_that_this_system_lacks_is_left_alone(self, handler, caplog):
        handler.add_handler("SIGBREAK", print)
        assert caplog.messages == [
            "There is no signal SIGBREAK here: nothing will come of it"
        ]
        assert not handlers.added

    def test_without_a_launcher_handlers_run_in_the_main_thread(self, handler):
        seen = []
        before = signal.getsignal(signal.SIGUSR2)
        handler.add_handler("SIGUSR2", lambda signo, _frame: seen.append(signo))
        handler.add_handler("SIGUSR2", lambda signo, _frame: seen.append(-signo))
        signal.raise_signal(signal.SIGUSR2)
        assert seen == [-signal.SIGUSR2, signal.SIGUSR2]
        handler.clear()
        assert signal.getsignal(signal.SIGUSR2) == before

    def test_one_that_fails_keeps_no_other_from_running(self, handler, caplog):
        seen = []

        def failing(_signo, _frame):
            raise LookupError("oops")

        handler.add_handler("SIGUSR2", lambda signo, _frame: seen.append(signo))
        handler.add_handler("SIGUSR2", failing)
        signal.raise_signal(signal.SIGUSR2)
        assert seen == [signal.SIGUSR2]
        assert "LookupError: oops" in caplog.text

    def test_a_signal_that_is_ignored_stays_ignored(self, handler):
        before = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        try:
            handler.add_handler("SIGUSR2", print)
            assert signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGUSR2, before)

    def test_signals_of_the_launcher_keep_their_meaning_without_one(self, handler):
        names = ("SIGTERM", "SIGINT", "SIGHUP", "SIGTTIN", "SIGTTOU")
        before = [signal.getsignal(getattr(signal, name)) for name in names]
        handler.add_handlers(names, print)
        assert [signal.getsignal(getattr(signal, name)) for name in names] == before


def test_a_signal_exit_is_a_system_exit_with_both_numbers():
    error = service.SignalExit(signal.SIGHUP)
    assert isinstance(error, SystemExit)
    assert (error.signo, error.code) == (signal.SIGHUP, 1)
    assert service.SignalExit(signal.SIGTERM, 3).code == 3


def test_a_service_wrapper_is_a_record():
    made = service.Service()
    record = service.ServiceWrapper(made, 3)
    assert (record.service, record.workers) == (made, 3)
    assert (record.children, record.forktimes) == (set(), [])


def test_the_options_of_services_are_listed():
    [(group, options)] = service.list_opts()
    assert group is None
    names = ["log_options", "graceful_shutdown_timeout"]
    assert [option.name for option in options] == names
