"""Settings: typed, complete in the guide, and refused by name when they are wrong."""

from datetime import timedelta
from pathlib import Path

import pytest

from casemgmt.settings import PREFIX, Reader, SettingError, load, read

GUIDE = Path(__file__).parent.parent / "docs" / "guide" / "administrator.md"

LEAST = {
    "CASEMGMT_APP_URL": "postgresql://app:hidden1@db/casemgmt",
    "CASEMGMT_GATE_URL": "postgresql://gate:hidden2@db/casemgmt",
    "CASEMGMT_SEQUENCER_URL": "postgresql://sequencer:hidden3@db/casemgmt",
    "CASEMGMT_STORE_URL": "file:///srv/evidence",
    "CASEMGMT_HASHIDS_SALT": "hidden4",
}


def test_what_is_not_given_has_a_default() -> None:
    settings = load(LEAST)
    assert settings.public_url == "http://localhost:8000"
    assert settings.session_lifetime == timedelta(hours=12)
    assert settings.max_upload_bytes == 16 * 1024**3
    assert settings.owner_dsn is None
    assert str(settings.zone) == "UTC"


def test_other_variables_are_none_of_its_business() -> None:
    assert load(LEAST | {"PATH": "/bin", "LANG": "ru_RU.UTF-8"}) == load(LEAST)


@pytest.mark.parametrize("name", sorted(LEAST))
def test_it_names_a_required_variable_that_is_missing(name: str) -> None:
    with pytest.raises(SettingError, match=f"{name} is not set"):
        load({other: value for other, value in LEAST.items() if other != name})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "http", "a whole number"),
        ("PORT", "70000", "between 0 and 65535"),
        ("PUBLIC_URL", "evidence.example.org", "an address without a path"),
        ("PUBLIC_URL", "https://example.org/evidence", "an address without a path"),
        ("TIME_ZONE", "Bishkek", "the name of a time zone"),
        ("TIME_ZONE", "../../etc/passwd", "the name of a time zone"),
        ("LANGUAGE", "fr", "one of en, ru"),
        ("DEMO", "yes", "one of 0, 1"),
        ("MAX_UPLOAD_MIB", "0", "between 1 and"),
        ("SESSION_HOURS", "0.5", "a whole number"),
    ],
)
def test_it_names_a_variable_with_a_bad_value(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingError) as error:
        load(LEAST | {PREFIX + name: value})
    assert str(error.value).startswith(f"{PREFIX}{name} must be ")
    assert told in str(error.value)
    assert value in str(error.value)


def test_a_bad_database_address_is_not_repeated_because_it_holds_a_password() -> None:
    with pytest.raises(SettingError) as error:
        load(LEAST | {"CASEMGMT_APP_URL": "mysql://app:hidden1@db/casemgmt"})
    assert "CASEMGMT_APP_URL" in str(error.value)
    assert "hidden1" not in str(error.value)


def test_a_misspelt_variable_is_noticed() -> None:
    with pytest.raises(SettingError, match="CASEMGMT_TIMEZONE is not a setting: did you mean CASEMGMT_TIME_ZONE"):
        load(LEAST | {"CASEMGMT_TIMEZONE": "UTC"})


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "salt"
    file.write_text("from-the-file\n")
    given = {name: value for name, value in LEAST.items() if name != "CASEMGMT_HASHIDS_SALT"}
    assert load(given | {"CASEMGMT_HASHIDS_SALT_FILE": str(file)}).hashids_salt == "from-the-file"


def test_a_secret_given_twice_or_unreadable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="both set"):
        load(LEAST | {"CASEMGMT_HASHIDS_SALT_FILE": str(tmp_path / "salt")})
    given = {name: value for name, value in LEAST.items() if name != "CASEMGMT_APP_URL"}
    with pytest.raises(SettingError, match="CASEMGMT_APP_URL_FILE"):
        load(given | {"CASEMGMT_APP_URL_FILE": str(tmp_path / "absent")})


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    assert "hidden" not in repr(load(LEAST))


def test_the_administrators_guide_lists_every_setting_and_no_other() -> None:
    reader = Reader(LEAST)
    read(reader)
    rows = [line.split("|")[1].strip() for line in GUIDE.read_text().splitlines() if line.startswith("| `CASEMGMT_")]
    assert sorted(rows) == sorted({f"`{PREFIX}{name}`" for name in reader.asked})
