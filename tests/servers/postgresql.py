"""A PostgreSQL server of the tests' own, with a password, and databases that come and go."""

from __future__ import annotations

import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.servers.process import ServerProcess, free_port, server_folder, user
from tests.servers.programs import postgresql_program

PASSWORD = "correct horse/battery@staple"
"""With characters that a URL must encode: those are the ones that go wrong."""

_SETTINGS = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off"),  # nothing here outlives the tests
    *("max_wal_size=2GB", "log_min_messages=fatal"),
    *("timezone=Etc/UTC", "log_timezone=Etc/UTC"),  # a day has 24 hours, wherever the tests run
)


class PostgresqlServer(ServerProcess):
    """`url` is that of the superuser `tests`, in the database `postgres`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        settings = (*_SETTINGS, f"port={self.port}", f"unix_socket_directories={folder}")
        super().__init__(
            [
                str(postgresql_program("postgres")),
                *("-D", str(folder / "data"), "-h", "127.0.0.1"),
                *(word for setting in settings for word in ("-c", setting)),
            ],
            folder=folder,
            ready=self._accepts,
            stop_signal=signal.SIGINT,
            as_user=user(),
        )

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str, *, role: str = "tests", password: str = PASSWORD) -> str:
        return f"postgresql://{role}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    @property
    def data(self) -> Path:
        return self._folder / "data"

    def psql(self, sql: str, *, database: str = "postgres") -> str:
        """What psql prints for the statements: rows as lines, columns divided by `|`."""
        command = [
            str(postgresql_program("psql")),
            *("-XqAt", "-v", "ON_ERROR_STOP=1", "-h", str(self._folder), "-p", str(self.port)),
            *("-U", "tests", "-d", database, "-c", sql),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh database, which is dropped after the block."""
        name = f"test_{secrets.token_hex(4)}"
        self._execute(f"CREATE DATABASE {name}")
        try:
            yield self.url_of(name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        """Without a program to start: each of hundreds of tests has a database of its own."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def initialize(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        command = [
            str(postgresql_program("initdb")),
            *("-D", str(self._folder / "data"), "-U", "tests", f"--pwfile={password}", "--no-sync"),
            *("--auth-local=trust", "--auth-host=scram-sha-256", "--no-locale", "--encoding=UTF8"),
        ]
        password.chmod(0o644)
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self._folder, user=user()
        )
        assert done.returncode == 0, done.stderr

    def _accepts(self) -> bool:
        program = str(postgresql_program("pg_isready"))
        command = [program, "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A server that runs while the block does."""
    with server_folder("postgresql", owner=user()) as folder:
        server = PostgresqlServer(folder)
        server.initialize()
        try:
            server.start()
            yield server
        finally:
            server.stop()
