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
    found = read_crontab(text, options=Options(), system=system)
    return [one for one in found if isinstance(one, Draft) or "no CRON_TZ" not in one.text]


def sentences(text: str) -> list[str]:
    return [one.text for one in read(text) if isinstance(one, Remark)]


def commands(text: str) -> list[str]:
    return [one.spec["command"][-1] for one in read(text) if isinstance(one, Draft)]


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
        ("0 0 5,* * 1", "0 0 5,1-31 * 1"),
        ("0 0 13 * fri,*", "0 0 13 * fri,0-6"),
        ("0 0 *,5 * 1", "0 0 *,5 * 1"),
        ("5,* * * * *", "5,* * * * *"),
        ("5/15 * * * *", "5/15 * * * *"),
        ("0 0 * * 7/2", "0 0 * * 0"),
        ("0 0 * * 3/2", "0 0 * * 0,3,5"),
        ("0 0 * * 5~7", "0 0 * * H(5-6)"),
        ("0 0 * * 7~7", "0 0 * * 0"),
        ("0 0 * * ~", "0 0 * * H(0-6)"),
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
        ("0 0 * * 6~2", True),
        ("0 77~80 * * *", True),
        (f"{','.join(map(str, range(59)))} * * * *", False),
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
        ("cat%STDIN%", "STDIN\n"),
        ("cat%", ""),
        ("cat%%", "\n"),
        ("cat%a%%", "a\n\n"),
        ("cat%a\\%", "a%\n"),
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


@pytest.mark.parametrize(
    "comment",
    [
        "# 0 0 30 2 * /bin/old-job",
        "# 0 0 30 2 * old job",
        "# @daily jobs go below this line",
        "# 1 2 3 4 5 testing the mic",
        "# 1 2 3 4 5 find the words",
        "# * * * * * <command to execute>",
        "# * * * * * /path/to/<command to execute>",
        "# 0 0 * * * root is the user here",
        "# 0 99 * * * /bin/x",
        f"# @daily /bin/{'x' * 5000}",
    ],
)
def test_prose_is_no_job_and_no_comment_is_an_error(comment: str) -> None:
    assert read(comment) == []


@pytest.mark.parametrize(
    "command",
    [
        *("/bin/x", "./x", "~/bin/x", "$HOME/x", "backup.sh", "A=1 B=2 /bin/x", "php artisan queue:work"),
        *("cd /srv && make", "curl -s example.com", "/bin/x ${HOME} < /etc/hosts"),
    ],
)
def test_a_job_that_is_commented_out_is_switched_off_and_said_to_be(command: str) -> None:
    for line in (f"# 5 4 * * * {command}", f"##*/5 * * * * {command}", f"#@daily {command}"):
        draft, remark = read(line)
        assert isinstance(draft, Draft)
        assert isinstance(remark, Remark)
        assert (draft.spec["enabled"], draft.spec["command"][-1]) == (False, command)
        assert remark.text == "the job is commented out, and is imported with enabled: false"


@pytest.mark.parametrize(
    ("cron", "sentence"),
    [
        (
            "5/15 * * * *",
            "5/15 is read as 5-59/15, as cronie does, and other crons refuse it or take it for 5",
        ),
        ("0 0 * * 3/2", "3/2 is read as 3-7/2"),
        ("0 0 * * 5~7", "5~7 is a day at random up to Saturday, as H knows no Sunday behind it"),
    ],
)
def test_what_crons_read_differently_is_named(cron: str, sentence: str) -> None:
    (remark,) = sentences(f"{cron} /bin/x")
    assert remark.startswith(sentence)


def test_a_shell_that_has_no_here_documents_is_named() -> None:
    assert "here-document" in sentences("SHELL=/usr/bin/fish\n@daily cat%a")[-1]
    assert not any("here-document" in one for one in sentences("SHELL=/bin/bash\n@daily cat%a"))
    assert not any("here-document" in one for one in sentences("SHELL=/usr/bin/fish\n@daily cat"))


@pytest.mark.parametrize("ends", ["\r", "\r\n", "\n"])
def test_every_line_is_a_job_of_its_own(ends: str) -> None:
    assert commands(f"@daily a{ends}@daily b{ends}") == ["a", "b"]


def test_a_hyphen_before_a_macro_is_crons_sign_not_to_log() -> None:
    assert commands("-@hourly /bin/x\n-5 * * * * /bin/y") == ["/bin/x", "/bin/y"]


def test_the_name_of_a_user_that_is_a_program_too_begins_a_command() -> None:
    assert commands("@daily redis-cli flushall\n@daily backup all\n@daily root") != []
    assert len(commands("@daily git /x\n@daily backup all\n@daily root\n@daily nice /bin/x")) == 4


def test_that_schedules_are_read_in_utc_is_said_once() -> None:
    text = "@daily /bin/a\n@daily /bin/b\nCRON_TZ=Asia/Tokyo\n@daily /bin/c\n"
    found = list(read_crontab(text, options=Options()))
    (remark,) = (one for one in found if isinstance(one, Remark))
    assert remark.line == 1
    assert "read in UTC" in remark.text
    named = read_crontab(text, options=Options(time_zone="Asia/Tokyo"))
    assert not any(isinstance(one, Remark) for one in named)


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
    draft, remark = read("-@hourly root /bin/x", system=True)
    assert isinstance(remark, Remark)
    assert isinstance(draft, Draft)
    assert "the user root is not carried over" in remark.text
    assert draft.spec["command"][-1] == "/bin/x"
