"""A crontab means the same afterwards: its times, its percent signs, its dollars."""

import subprocess

import pytest

from scheduledjob_operator.cli.importing.crontab import read_crontab
from scheduledjob_operator.cli.importing.crontab_command import name_of, shell_text
from scheduledjob_operator.cli.importing.crontab_times import five_fields
from scheduledjob_operator.cli.importing.findings import (
    Draft,
    Finding,
    Remark,
    UnreadableError,
    literal_dollars,
)
from scheduledjob_operator.cli.importing.manifests import Options


def read(text: str, *, system: bool = False) -> list[Finding]:
    return list(read_crontab(text, options=Options(), system=system))


@pytest.mark.parametrize(
    ("cron", "schedule"),
    [
        ("*/5 * * * *", "*/5 * * * *"),
        ("0 3 * * 7", "0 3 * * 0"),
        ("0 3 * * 6-7", "0 3 * * 0,6"),
        ("0 3 * * 5-7", "0 3 * * 0,5-6"),
        ("0 3 15 * 1-7", "0 3 15 * 0-6"),
        ("0 3 * * 1-7/2", "0 3 * * 0,1,3,5"),
        ("0 3 * * mon,7", "0 3 * * mon,0"),
        ("0 3 * Jan-Mar Mon-Fri", "0 3 * Jan-Mar Mon-Fri"),
        ("~ 0~6 * * *", "H(0-59) H(0-6) * * *"),
        ("0 0 */2 * *", "0 0 */2 * *"),
        ("0 0 */1 * 1", "0 0 */1 * 1"),
    ],
)
def test_times_are_read_as_cron_reads_them(cron: str, schedule: str) -> None:
    assert five_fields(cron.split()) == schedule


@pytest.mark.parametrize(
    ("cron", "malformed"),
    [
        ("0 22-2 * * *", False),
        ("0 0 * * fri-mon", False),
        ("0 0 */2 * 1", False),
        ("0 0 1 * */2", False),
        ("60 * * * *", True),
        ("0 0 L * *", True),
        ("0 0 * * 8", True),
        ("*/0 * * * *", True),
        ("1,, * * * *", True),
    ],
)
def test_times_without_a_counterpart_are_told_from_wrong_ones(cron: str, malformed: bool) -> None:
    with pytest.raises(UnreadableError) as raised:
        five_fields(cron.split())
    assert raised.value.malformed is malformed


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("cat%one%two", "one\ntwo\n"),
        ("cat | tr a-z A-Z%one", "ONE\n"),
        ("cat # with a comment%it costs $5 `x` \\%", "it costs $5 `x` %\n"),
        ("cat%STDIN%", "STDIN\n\n"),
        ("echo 100\\%", "100%\n"),
    ],
)
def test_percent_signs_are_standard_input(command: str, output: str) -> None:
    done = subprocess.run(["/bin/sh", "-c", shell_text(command)], capture_output=True, text=True, check=True)
    assert done.stdout == output


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/opt/bin/sync_stock.sh --all", "sync-stock"),
        ("cd /srv && A=1 /usr/bin/python3 -u jobs/report.py --day 1", "report"),
        ("python -m shop.tasks.clean", "clean"),
        ("php -d memory_limit=-1 /srv/artisan schedule:run", "artisan"),
        ("sudo -u www-data nice -n 10 flock -n /tmp/lock /bin/backup", "backup"),
        ("test -x /bin/x || { cd / && run-parts /etc/cron.daily; }", "run-parts"),
        ("[ -f x ] && timeout 5m curl -s example.com", "curl"),
        ('bash -c "echo 1"', "bash"),
        ("'unclosed", "unclosed"),
        ("&&", "job"),
        ("é", "job"),
    ],
)
def test_a_job_is_named_after_its_program(command: str, name: str) -> None:
    assert name_of(command) == name


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("echo $HOME $(date)", "echo $HOME $(date)"),
        ("echo $$", "echo $$$$"),
        ("echo $(PATH) $1", "echo $$(PATH) $$1"),
    ],
)
def test_kubernetes_gives_the_shell_the_dollars_that_were_there(text: str, written: str) -> None:
    assert literal_dollars(text, variables=frozenset({"PATH"})) == written


@pytest.mark.parametrize(
    "comment",
    [
        "# m h dom mon dow command",
        "# 5 of the 7 jobs below are old",
        "# *  *  *  *  *  user-name  command to be executed",
        "# 0 5 * * 1 tar -zcf /var/backups/home.tgz /home/",
        "# @reboot /bin/x",
        "#",
    ],
)
def test_a_comment_that_is_no_job_is_nothing(comment: str) -> None:
    assert read(comment) == []


def test_a_job_that_is_commented_out_is_switched_off() -> None:
    (draft,) = read("## */5 * * * * /bin/x")
    assert isinstance(draft, Draft)
    assert draft.spec["enabled"] is False


def test_a_variable_is_for_the_jobs_below_it() -> None:
    first, second = read("@daily /bin/a\n\"B\" = ' c '\n@daily /bin/b\n")
    assert isinstance(first, Draft)
    assert isinstance(second, Draft)
    assert "env" not in first.spec
    assert second.spec["env"] == [{"name": "B", "value": " c "}]


def test_an_empty_mailto_is_no_loss() -> None:
    assert read('MAILTO=""') == []
    (remark,) = read("MAILTO=root")
    assert isinstance(remark, Remark)
    assert remark.text.startswith("MAILTO is not carried over")


def test_the_user_of_a_system_crontab_is_named() -> None:
    remark, draft = read("-@hourly root /bin/x".removeprefix("-"), system=True)
    assert isinstance(remark, Remark)
    assert isinstance(draft, Draft)
    assert "the user root is not carried over" in remark.text
    assert draft.spec["command"][-1] == "/bin/x"
