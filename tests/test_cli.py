"""The command: finds its parts, answers in words, and loads no more than it needs."""

import subprocess
import sys

import pytest

from casemgmt.cli import COMMANDS, main


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "casemgmt", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str) -> None:
    shown = run(command, "--help")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(f"usage: casemgmt {command}")


def test_an_unknown_command_is_refused_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["upp"])
    assert left.value.code == 2
    assert "walkthrough" in capsys.readouterr().err


def test_verify_loads_nothing_of_the_server() -> None:
    code = (
        "import sys; from casemgmt.cli import main\n"
        "try: main(['verify', '--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('asyncpg', 'litestar', 'sqlalchemy', 'uvicorn', 'minio') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout.endswith("[]\n")


def test_a_missing_setting_is_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CASEMGMT_APP_URL", raising=False)
    assert main(["migrate"]) == 2
    assert capsys.readouterr().err == "casemgmt: CASEMGMT_APP_URL is not set, and there is no default for it\n"


def test_the_roles_script_holds_no_password() -> None:
    shown = run("roles-sql")
    assert shown.returncode == 0
    for role in ("owner_login", "app", "gate", "sequencer", "verifier"):
        assert f"password :'{role}_password'" in shown.stdout
