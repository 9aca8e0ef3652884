"""The commands the administrator's guide gives to a reader, run as they stand there."""

import shlex
from pathlib import Path

import pytest

from casemgmt.signing.authority import Authorities
from casemgmt.signing.demonstration import Demonstration
from casemgmt.signing.signer import OrganisationSigner
from tests.signing.conftest import run

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "administrator.md"
COMMANDS = [line.strip() for line in GUIDE.read_text().splitlines() if line.startswith("    openssl ")]
LATE = "2200000000"  # in 2039, when the demonstration's certificates have ended


@pytest.fixture
async def package(
    signer: OrganisationSigner, authorities: Authorities, demo: Demonstration, tmp_path: Path
) -> tuple[Path, str]:
    """A directory with the files the commands name, and the time of the timestamp in seconds since 1970."""
    content = b"0123  bag-info.txt\n"
    stamped = await authorities.stamp(content)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "organisation-ca.pem").write_bytes(demo.ca.read_bytes())
    (tmp_path / "keys" / "timestamp-ca.pem").write_bytes(demo.tsa_ca.read_bytes())
    (tmp_path / "tagmanifest-sha256.txt").write_bytes(content)
    (tmp_path / "tagmanifest-sha256.txt.p7s").write_bytes(await signer.sign_detached(content))
    (tmp_path / "tagmanifest-sha256.txt.tsr").write_bytes(stamped.response)
    return tmp_path, str(int(stamped.time.timestamp()) + 2)  # certificates begin in the second of their making


def test_the_guide_has_the_three_commands() -> None:
    assert [shlex.split(command)[1:3] for command in COMMANDS] == [
        ["cms", "-verify"],
        ["ts", "-verify"],
        ["ts", "-reply"],
    ]


def test_they_succeed_as_they_stand(package: tuple[Path, str]) -> None:
    for command in COMMANDS:
        done = run(*shlex.split(command), where=package[0])
        assert done.returncode == 0, (command, done.stdout)
    assert "Time stamp:" in done.stdout


@pytest.mark.parametrize("changed", ["tagmanifest-sha256.txt", "keys/organisation-ca.pem keys/timestamp-ca.pem"])
def test_they_fail_on_another_list_and_under_other_authorities(
    package: tuple[Path, str], other: Demonstration, changed: str
) -> None:
    where, _ = package
    for name, source in zip(changed.split(), (other.ca, other.tsa_ca), strict=False):
        (where / name).write_bytes(b"other\n" if name.startswith("tag") else source.read_bytes())
    for command in COMMANDS[:2]:
        assert run(*shlex.split(command), where=where).returncode != 0, command


def test_after_the_certificates_have_expired_they_fail_and_succeed_with_the_time_of_the_timestamp(
    package: tuple[Path, str],
) -> None:
    where, time = package
    for command in COMMANDS[:2]:
        late = run(*shlex.split(command), "-attime", LATE, where=where)
        assert late.returncode != 0
        assert "certificate has expired" in late.stdout
        done = run(*shlex.split(command), "-attime", time, where=where)
        assert done.returncode == 0, done.stdout
