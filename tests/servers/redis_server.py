"""A Redis server of the tests' own, with a password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.servers.process import ServerProcess, free_port, server_folder, user
from tests.servers.programs import redis_program

PASSWORD = "sesame-open-7"


class RedisServer(ServerProcess):
    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        super().__init__(
            [
                str(redis_program()),
                *("--bind", "127.0.0.1", "--port", str(self.port), "--requirepass", PASSWORD),
                *("--save", "", "--appendonly", "no", "--dir", str(folder)),
                *("--enable-debug-command", "local"),
            ],
            folder=folder,
            ready=self._answers,
            as_user=user(),
        )

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, decode_responses=True)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A server that runs while the block does."""
    with server_folder("redis", owner=user()) as folder:
        server = RedisServer(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
