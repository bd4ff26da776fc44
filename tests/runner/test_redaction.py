"""Values of the environment and of the arguments do not leave the process by its errors and tracebacks."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_runner.redaction import MARK, SHORTEST, Redactor, argument_values, environment_values
from tests.runner.process import Ended, Runner

SECRETS = st.lists(st.text("ABC0189 \n\"'\\é", min_size=1, max_size=12), max_size=5)


@given(secrets=SECRETS, parts=st.lists(st.text("ABC0189 \n\"'\\é", max_size=8), max_size=6), data=st.data())
def test_no_secret_is_left_in_any_text(secrets: list[str], parts: list[str], data: st.DataObject) -> None:
    pieces = data.draw(st.permutations([*parts, *secrets]))
    text = "".join(pieces)
    redacted = Redactor(secrets)(text)
    for secret in secrets:
        if len(secret) >= SHORTEST:
            assert secret not in redacted


@given(secret=st.text(min_size=SHORTEST, max_size=20))
def test_a_secret_is_found_in_its_repr_and_its_json(secret: str) -> None:
    redact = Redactor([secret])
    for written in (
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
    ):
        assert redact(f"a {written} b") == f"a {MARK} b"


@given(secret=st.text(min_size=SHORTEST, max_size=20), before=st.text(max_size=5), behind=st.text(max_size=5))
def test_a_secret_is_found_as_an_address_and_base64_write_it(secret: str, before: str, behind: str) -> None:
    redact = Redactor([secret])
    for write in (lambda text: quote(text, safe=""), quote, quote_plus):
        assert redact(f"a?b={write(secret)}&c") == f"a?b={MARK}&c"
    for encode in (b64encode, urlsafe_b64encode):
        encoded = encode((before + secret + behind).encode()).decode()
        assert MARK in redact(f"Authorization: Basic {encoded}")


@given(st.text())
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert Redactor([])(text) == text
    assert Redactor(["short", ""])(text) == text


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("postgresql://bob:s3cr3t%21pw@db:5432/x", "s3cr3t!pw"),
        ("postgresql://bob:s3cr3t%21pw@db:5432/x", "s3cr3t%21pw"),
        ("-----BEGIN KEY-----\nMIIEvAIBADANBg\nkqhkiG9w0BAQEF\n", "kqhkiG9w0BAQEF"),
        ('{"type": "service_account", "private_key": "MIIEvAIBADANBg"}', "MIIEvAIBADANBg"),
        ("trailing-newline\n", "trailing-newline"),
        ("postgresql://team%2Dshop:pw@db/x", "team-shop"),
        ("postgresql://team%2Dshop:pw@db/x", "team%2Dshop"),
        ("https://0a1b2c3d4e@errors.example.com/42", "0a1b2c3d4e"),
        ("https://hc-ping.com/7bd1c5f2-0c11-4c6e-9d0e-2f1d3b6a8c55", "7bd1c5f2-0c11-4c6e-9d0e-2f1d3b6a8c55"),
        ("https://chat.example.com/services/T0123456/B0123456/qwertyuiopasdfghjklzxcvb", "T0123456"),
        ("https://chat.example.com/hooks/qwertyuiopasdfghjklzxcvb", "qwertyuiopasdfghjklzxcvb"),
        ("https://api.example.com/v1?region=eu&access_token=abc%2Fdef", "abc/def"),
        ("host=db user=shop password='hunter two' sslmode=require", "hunter two"),
        ("Server=db;Password=hunter-2;Encrypt=true", "hunter-2"),
    ],
)
def test_the_telling_part_of_a_value_is_hidden_too(value: str, part: str) -> None:
    redact = Redactor(environment_values({"DSN": value}))
    assert part not in redact(f"login failed with {part} today")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("postgresql://portfolio:pw@db/portfolio", "the job portfolio-sync wrote the table my_portfolio"),
        ("postgresql://postgres:pw@db/market_data", 'role "postgres" may not write database "market_data"'),
        ("redis://default:pw@redis:6379/0", "the default time to live"),
        ("https://api.example.com/v1/instruments?limit=1000000", "GET api.example.com/v1/instruments"),
        ("host=db user=shop sslmode=require", "servers require TLS"),
    ],
)
def test_what_an_address_shares_with_plain_sentences_stays_readable(value: str, text: str) -> None:
    assert Redactor(environment_values({"DSN": value}))(text) == text


def test_well_known_variables_are_not_secret() -> None:
    environment = {
        "PATH": "/usr/local/bin",
        "PYTHONPATH": "/handlers",
        "LC_ALL": "C.UTF-8",
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "SCHEDULEDJOB_NAME": "portfolio-sync",
        "KUBERNETES_TOKEN": "hidden-1",
        "PATHS": "hidden-2",
    }
    assert list(environment_values(environment)) == ["hidden-1", "hidden-2"]


def test_every_value_of_the_arguments_is_known_but_no_key() -> None:
    text = '{"a": ["one", {"b": "two"}], "c": 1234567, "d": 0.5, "e": true, "f": null}'
    assert sorted(argument_values(text)) == ["0.5", "1234567", "one", "two"]
    assert list(argument_values("no json")) == ["no json"]


def test_names_are_not_secret_but_what_cannot_be_a_name_is() -> None:
    text = """{
        "url_variable": "API_URL", "database_variable": "https://token@host",
        "header_variables": {"X-Api-Key": "API_KEY", "X-Other": "hunter-2"},
        "handler": "sync-portfolios", "table": "market.tokens", "key": ["address", "Robert'; --"],
        "columns": {"address": "address_of"}, "name": "API_TOKEN", "args": {"key": "abcdef"}
    }"""
    assert sorted(argument_values(text)) == [
        *("API_TOKEN", "Robert'; --", "abcdef", "https://token@host", "hunter-2")
    ]


ENV = "canary-env-5d41"
ARG = "canary-arg-9c22"
NUMBER = "9182736455"
LEAKS = {
    "in an error": "raise ValueError(f'{secret} {text} {number}')",
    "as the representation in an error": "raise KeyError(secret, text, number)",
    "in an error that is the cause of another": (
        "try: raise ValueError(all)\n    except ValueError as e: raise TryAgain('x') from e"
    ),
    "in an error's context": "try: raise ValueError(all)\n    except ValueError: raise OSError('later')",
    "in a note": "e = ValueError('x'); e.add_note(all); raise e",
    "in a group": "raise ExceptionGroup('g', [ValueError(secret), KeyError(text), OSError(number)])",
    "in an exit": "raise SystemExit(all)",
    "in a subprocess that fails": "import subprocess; subprocess.run(['false', all], check=True)",
    "in a pydantic error": "TypeAdapter(list[int]).validate_python([secret, text, 'x' + str(number)])",
    "in a pydantic error that shows a part of it": (
        "TypeAdapter(list[int]).validate_python([secret * 20, text * 20, number + .5])"
    ),
    "in a validator's own words": (
        "def check(value): raise ValueError('odd: ' + value)\n"
        "    TypeAdapter(Annotated[str, BeforeValidator(check)]).validate_python(all)"
    ),
    "in its own traceback log": (
        "try: raise ValueError(all)\n    except ValueError: context.logger.exception('it went wrong')"
    ),
    "in a thread of its own": (
        "import threading; it = threading.Thread(target=lambda: int(all)); it.start(); it.join()"
    ),
    "in a log line that is wrong": "context.logger.info('%d rows', secret)",
}


def test_a_thread_that_ends_with_an_exception_is_a_line_in_the_log(runner: Runner) -> None:
    runner.write(
        "it.py",
        "import threading\n@job_handler('it')\ndef it():\n"
        "    it = threading.Thread(target=lambda: int('x'), name='beside'); it.start(); it.join()",
    )
    ended = runner.run("run", "it")
    assert (ended.exit_code, ended.errors) == (0, "")
    (line,) = [record for record in ended.records if record["level"] == "error"]
    assert line["message"] == "thread beside ended with ValueError"
    assert "in <lambda>" in line["exception"]


def everything(ended: Ended) -> str:
    return "\n".join([*ended.lines, ended.errors, json.dumps(ended.message, ensure_ascii=False)])


@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS)
def test_no_value_leaks(runner: Runner, body: str) -> None:
    runner.write(
        "it.py",
        "import os\nfrom typing import Annotated\nfrom pydantic import BeforeValidator, TypeAdapter\n"
        "@job_handler('it')\ndef it(context: Context, text: str, number: int):\n"
        "    secret = os.environ['DB_PASSWORD']\n    all = secret + text + str(number)\n"
        f"    {body}",
    )
    env = {"DB_PASSWORD": ENV, "SCHEDULEDJOB_ARGS": f'{{"text": "{ARG}", "number": {NUMBER}}}'}
    ended = runner.run("run", "it", env={**env, "SCHEDULEDJOB_LOG_LEVEL": "DEBUG"})
    for canary in (ENV, ARG, NUMBER, ENV[:10], ARG[:10]):
        assert canary not in everything(ended)


@pytest.mark.parametrize(
    "arguments",
    [f'{{"text": "{ARG}", "number": "{ARG}"}}', f'{{"text": ["{ARG}"]}}', f'{{"{ARG}'],
)
def test_no_value_of_refused_arguments_leaks(runner: Runner, arguments: str) -> None:
    runner.write("it.py", "@job_handler('it')\ndef it(text: str, number: int): ...")
    ended = runner.run("run", "it", env={"SCHEDULEDJOB_ARGS": arguments})
    assert ended.exit_code == 65
    assert ARG not in everything(ended)


def test_environment_values_are_hidden_in_log_lines_and_results_and_prints_are_left_alone(
    runner: Runner,
) -> None:
    runner.write(
        "it.py",
        "import os\n@job_handler('it')\ndef it(context: Context):\n    secret = os.environ['DB_PASSWORD']\n"
        "    context.logger.info('using %s', secret, extra={'login': {'with': secret}})\n"
        "    print('printed', secret)\n    return {'used': [secret]}",
    )
    ended = runner.run("run", "it", env={"DB_PASSWORD": ENV})
    assert ended.message is not None
    assert ended.message["value"] == {"used": [MARK]}
    assert f"using {MARK}" in ended.messages
    assert f"printed {ENV}" in ended.lines
    assert everything(ended).count(ENV) == 1


def test_a_broken_file_does_not_leak_what_it_read_from_the_environment(runner: Runner) -> None:
    runner.write("bad.py", "import os\nraise ValueError(os.environ['DB_PASSWORD'])")
    for arguments in (["run", "bad"], ["run", "hello"], ["list"], ["list", "-o", "json"]):
        assert ENV not in everything(runner.run(*arguments, env={"DB_PASSWORD": ENV}))
