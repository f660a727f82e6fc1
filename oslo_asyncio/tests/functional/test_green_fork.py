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


"""Processes that a patched program forks by itself."""

import pytest


@pytest.fixture
def hub_name():
    """This is about one hub."""
    return "eventlet"


def test_a_forked_process_looks_names_up_though_its_parent_did(start):
    program = start("""
        def look_up():
            return socket.getaddrinfo("127.0.0.1", 80, type=1)[0][4][0]

        say("parent", look_up())
        pid = os.fork()
        if pid == 0:
            say("child", look_up())
            _unpatched.os._exit(0)
        say("status", os.waitpid(pid, 0)[1])
    """)
    program.expect("parent 127.0.0.1")
    program.expect("child 127.0.0.1")
    program.expect("status 0")
    assert program.exit() == 0


def test_what_a_forked_process_starts_before_it_waits_for_its_launcher_runs(start):
    program = start("""
        import eventlet

        eventlet.sleep(0)  # so that there is a hub of eventlet's, which it inherits
        pid = os.fork()
        if pid == 0:
            launcher = service.launch(CONF, service.Service())
            eventlet.spawn(launcher.stop)
            _unpatched.os._exit(launcher.wait())
        say("status", os.waitpid(pid, 0)[1])
    """)
    program.expect("status 0")
    assert program.exit() == 0
