"""Addresses, headers, certificates and proxies that cannot be used, named and not quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.handlers.http_client.requesting import error, outcome, status
from tests.handlers.web_server import Answer, WebServer, make_certificate, web_server


def test_a_base_address_headers_and_a_query_are_sent(web: WebServer) -> None:
    ended = outcome(
        web.url,
        lambda client, _: client.get_json("/tokens", params={"limit": 5}),
        base_url=f"{web.url}/v1",
        headers={"X-Api-Key": "k"},
    )
    assert ended.value == {}
    assert web.requests[0].path == "/v1/tokens?limit=5"
    assert web.requests[0].headers["X-Api-Key"] == "k"


def test_a_header_of_ones_own_takes_the_place_of_ours(web: WebServer) -> None:
    outcome(web.url, status(), headers={"accept-encoding": "identity"})
    assert [
        value for name, value in web.requests[0].headers.items() if name.lower() == "accept-encoding"
    ] == ["identity"]


@pytest.mark.parametrize(
    ("url", "headers", "text"),
    [
        ("example.com/v1", {}, "that is no address: write for instance https://host/path"),
        ("ftp://example.com", {}, "that is no address: write for instance https://host/path"),
        ("http://[::1", {}, "that is no address: write for instance https://host/path"),
        ("http://127.0.0.1", {"X-Key": "sec\r\nret"}, "header X-Key cannot be sent: "),
        ("http://127.0.0.1", {"X-Key": "s€cret"}, "header X-Key cannot be sent: "),
        ("http://127.0.0.1", {"X Key": "secret"}, "'X Key' is no name of a header: "),
    ],
)
def test_what_cannot_be_sent_is_a_setting_that_is_wrong(url: str, headers: dict[str, str], text: str) -> None:
    ended = outcome(url, status(path="", headers=headers))
    assert ended.exit_code == 78
    assert text in error(ended)
    assert "sec" not in error(ended)


def test_a_label_stands_for_an_address_that_is_secret(web: WebServer) -> None:
    web.answers = [Answer(404)]
    ended = outcome(web.url, status(path="/services/T01/abc"), label="HOOK_URL")
    assert error(ended) == "ConfigurationError: GET HOOK_URL: answered 404 Not Found"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path)


def test_a_server_whose_certificate_nobody_vouches_for_is_not_talked_to(certificate: Path) -> None:
    with web_server(certificate) as web:
        ended = outcome(web.url, status())
        assert ended.exit_code == 78
        assert "its certificate is not trusted (self-signed certificate)" in error(ended)
        assert not web.requests


def test_an_authority_can_be_named(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with web_server(certificate) as web:
        assert outcome(web.url, status()).value == 200


def test_a_certificate_for_another_host_is_not_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_certificate(tmp_path, name="elsewhere.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with web_server(other) as web:
        ended = outcome(web.url, status())
    assert ended.exit_code == 78
    assert "IP address mismatch" in error(ended)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_a_setting_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    ended = outcome("http://127.0.0.1", status())
    assert ended.exit_code == 78
    assert error(ended).startswith("ConfigurationError: the file of SSL_CERT_FILE cannot be read")


def test_a_proxys_address_that_cannot_be_used_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("gopher://user:canary-password@proxy", "socks5://user:canary-password@proxy"):
        monkeypatch.setenv("HTTP_PROXY", address)
        ended = outcome("http://127.0.0.1", status())
        assert ended.exit_code == 78
        assert "HTTP_PROXY" in error(ended)
        assert "canary" not in error(ended)
