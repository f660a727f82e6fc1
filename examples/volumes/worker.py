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
#
# ruff: noqa: E402, I001

"""The worker: answers the API's calls, and looks after the volumes.

    python examples/volumes/worker.py --config-file volumes.conf
"""

from oslo_asyncio import hub

hub.setup("volumes")

import asyncio
import contextlib
import socket
import sqlite3
import sys

import settings  # before oslo_messaging
from oslo_asyncio import messaging
from oslo_asyncio import periodic_task
from oslo_asyncio import service
from oslo_context import context


class Database:
    """Sync code: it blocks, and so it is called beside the loop."""

    def __init__(self, path):
        self.path = path
        self.execute("CREATE TABLE IF NOT EXISTS volumes (name UNIQUE, size)")

    def execute(self, statement, *values):
        opened = contextlib.closing(sqlite3.connect(self.path))
        with opened as connection, connection:  # closed at the end, and committed
            return connection.execute(statement, values).fetchall()

    def add(self, name, size):
        try:
            self.execute("INSERT INTO volumes VALUES (?, ?)", name, size)
        except sqlite3.IntegrityError:
            raise ValueError(f"there is a volume {name} already") from None

    def names(self):
        return [name for [name] in self.execute("SELECT name FROM volumes")]

    def total(self):
        return self.execute("SELECT COUNT(*), TOTAL(size) FROM volumes")[0]


class Volumes:
    """The endpoints: what the API can call."""

    def __init__(self, database):
        self.database = database

    @messaging.expected_exceptions(ValueError)
    async def create(self, ctxt, name, size):  # async code: on the loop
        if size > settings.CONF.largest:
            raise ValueError(f"{size} GiB are more than {settings.CONF.largest}")
        await asyncio.sleep(0.1)  # stands for a request to the storage
        await hub.run_sync(self.database.add, name, size)
        settings.LOG.info("Created volume %s", name)
        return {"name": name, "size": size}

    async def list(self, ctxt):
        return await hub.run_sync(self.database.names)

    def usage(self, ctxt):  # sync code of before: beside the loop, as it is
        count, size = self.database.total()
        return {"volumes": count, "size": int(size)}


class Housekeeping(periodic_task.PeriodicTasks):
    def __init__(self, database):
        super().__init__(settings.CONF)
        self.database = database

    @periodic_task.periodic_task(spacing=10, run_immediately=True)
    async def report(self, context):
        count, size = await hub.run_sync(self.database.total)
        settings.LOG.info("There are %d volumes of %d GiB in all", count, size)


class Worker(service.Service):
    """An RPC server and periodic tasks, which start and stop together."""

    async def start(self):
        database = await hub.run_sync(Database, settings.CONF.database)
        self.server = settings.server(socket.gethostname(), [Volumes(database)])
        await self.server.start()
        tasks = Housekeeping(database).run_periodic_tasks
        self.tg.add_dynamic_timer_args(tasks, [context.get_admin_context()])
        settings.LOG.info("The worker answers calls")

    async def stop(self):
        await self.server.stop()  # no new calls
        await self.server.wait()  # those that it has begun are answered
        await hub.run_sync(super().stop)
        settings.LOG.info("The worker has stopped")

    async def reset(self):  # SIGHUP: the config files have been read again
        settings.LOG.info("The largest volume is %d GiB now", settings.CONF.largest)


def main():
    settings.read()
    launcher = service.launch(
        settings.CONF,
        Worker(),
        workers=settings.CONF.workers,
        restart_method="mutate",
    )
    return launcher.wait()


if __name__ == "__main__":
    sys.exit(main())
