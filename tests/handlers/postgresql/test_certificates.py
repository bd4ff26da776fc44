"""A certificate is checked where the connection string says so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.handlers.postgresql.two_accounts import query, run
from tests.handlers.web_server import make_certificate
from tests.servers.postgresql import PostgresqlServer
from tests.servers.postgresql import postgresql_server as postgresql_server_of_its_own
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgresqlServer, Path]]:
    """A server that speaks TLS too, and its certificate, which nobody trusts by itself."""
    certificate = make_certificate(tmp_path_factory.mktemp("tls"))
    with postgresql_server_of_its_own() as server:
        file = server.data / "server.pem"
        file.write_bytes(certificate.read_bytes())
        shutil.chown(file, server.data.owner())
        file.chmod(0o600)
        for setting in (f"ssl_cert_file = '{file}'", f"ssl_key_file = '{file}'", "ssl = on"):
            server.psql(f"ALTER SYSTEM SET {setting}")
        server.psql("SELECT pg_reload_conf()")
        wait_until(lambda: server.psql("SHOW ssl") == "on")
        yield server, certificate


NOT_TRUSTED = (
    "the database server of DATABASE_URL: its certificate is not trusted (unknown authority): "
    "name the file of its authority in SSL_CERT_FILE"
)
VERIFIED = {
    "without a word": ("", False, 0, ""),
    "an authority that is not known": (
        "?sslmode=verify-full",
        False,
        78,
        NOT_TRUSTED,
    ),
    "an authority that is known": ("?sslmode=verify-full", True, 0, ""),
    "those of the system": ("?sslmode=verify-full&sslrootcert=system", True, 0, ""),
    "another host": (
        "?sslmode=verify-full&host=localhost",
        True,
        78,
        "the certificate of the database server of DATABASE_URL is another host's",
    ),
}


@pytest.mark.parametrize(("query_part", "known", "exit_code", "message"), VERIFIED.values(), ids=VERIFIED)
def test_a_certificate_is_checked_where_the_connection_string_says_so(
    tls_server: tuple[PostgresqlServer, Path],
    monkeypatch: pytest.MonkeyPatch,
    query_part: str,
    known: bool,
    exit_code: int,
    message: str,
) -> None:
    server, certificate = tls_server
    url = server.url + query_part
    if "host=" in query_part:
        url = url.replace("127.0.0.1", "localhost").replace("&host=localhost", "&hostaddr=127.0.0.1")
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("HOME", str(certificate.parent))
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    ended = run(query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
    assert (ended.exit_code, ended.error.message if ended.error else "") == (exit_code, message)
    assert ended.value == ([[True]] if exit_code == 0 else None)
