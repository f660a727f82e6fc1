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

"""Does a driver's class send a call as ``client_drivers`` expects it to?

It is asked to, once in a process, with a stage in the place of the broker.  That
says more than names and signatures would, which are the least of what changes.
Each function raises something when the answer is no.
"""

import contextlib
import sys
import types
from typing import Any

from oslo_asyncio._messaging import replies


def amqp(part: Any, cls: type) -> None:
    """A call with a class derived from ``AMQPDriverBase``."""
    module: Any = sys.modules["oslo_messaging._drivers.amqpdriver"]
    waiter = _stage(module.ReplyWaiter)
    waiter.msg_id_cache = types.SimpleNamespace(check_duplicate_message=bool)
    waiter.waiters = module.ReplyWaiters()
    published: list[Any] = []
    connection = _stage(object, topic_send=lambda **options: published.append(options))
    driver = _stage(
        object,
        _waiter=waiter,
        _get_connection=lambda *args: contextlib.nullcontext(connection),
        _get_exchange=str,
        _get_reply_q=lambda: "replies",
    )
    box, delivered = _call_on_stage(part, driver, cls)
    [(name, there)] = waiter.waiters._queues.items()
    _expect(there is box and len(published) == 1)
    for ending, result in ((False, None), (True, "reply")):
        answer = {"result": result, "failure": None, "ending": ending}
        waiter.waiters.put(name, answer)
    _expect(delivered == [(None, None, False), ("reply", None, True)])


def fake(part: Any, cls: type) -> None:
    """A call with a class derived from ``FakeDriver``."""
    delivered_to: list[Any] = []
    exchange = _stage(
        object, deliver_message=lambda *args, reply_q, **_: delivered_to.append(reply_q)
    )
    exchanges = _stage(object, get_exchange=lambda name: exchange)
    driver = _stage(object, _exchange_manager=exchanges, _check_serialize=str)
    box, delivered = _call_on_stage(part, driver, cls)
    _expect(delivered_to == [box])
    module: Any = sys.modules["oslo_messaging._drivers.impl_fake"]
    incoming = module.FakeIncomingMessage({}, {}, box, None)
    incoming.reply("reply")
    _expect(delivered == [("reply", None, True)])


def _call_on_stage(part: Any, driver: Any, cls: type) -> tuple[Any, list[Any]]:
    """A call to nobody, with what a driver has been replaced by the stage."""
    delivered: list[Any] = []
    box = replies.Mailbox(lambda *reply: delivered.append(reply))
    target = types.SimpleNamespace(
        topic="stage", exchange=None, server=None, fanout=None
    )
    result = part(driver, cls, box).send(
        target,
        {},
        {"method": "rehearse", "args": {}},
        wait_for_reply=True,
        timeout=1,
        call_monitor_timeout=None,
        retry=0,
        transport_options=None,
    )
    _expect(result is replies.SENT and not delivered)
    return box, delivered


def _stage(cls: Any, **attributes: Any) -> Any:
    """Of class ``cls``, with these attributes, and without its ``__init__``."""
    made_of: Any = type("Stage", (cls,), {})
    made = made_of.__new__(made_of)
    vars(made).update(attributes)
    return made


def _expect(fact: bool) -> None:
    if not fact:
        raise RuntimeError("it does something else")
