"""The printed report: whole hashes, three languages, PDF/A, and no text that becomes markup."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from casemgmt.packages.report import render as rendering
from casemgmt.packages.report.glyphs import shown
from casemgmt.packages.report.model import Person, Present, Report, Seal, Signed, Why
from casemgmt.packages.report.render import ReportError, render
from casemgmt.packages.report.truths import truths
from casemgmt.packages.report.words import LANGUAGES, words
from casemgmt.signing.demonstration import Demonstration
from casemgmt.signing.signer import OrganisationSigner
from tests.packages.report import sample
from tests.packages.report.looking import MARGIN, WIDTH, clipped, structure, text_of, unseen, words_of
from tests.signing.conftest import run

A_3B = {
    "part": "3", "conformance": "B", "intents": ["/GTS_PDFA1"], "profile": True, "id": True, "encrypted": False,
    "embedded": True, "tagged": True, "scripts": False,
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_hash_stands_whole_on_one_line_between_the_margins(language: str) -> None:
    report = sample.report(40)
    pdf = render(report, language)
    assert unseen(pdf, sample.hashes(report)) == []
    assert clipped(pdf, sample.hashes(report)) == []
    assert sample.hashes(report) <= set(re.findall(r"\b[0-9a-f]{64}\b", text_of(pdf)))


@pytest.mark.parametrize(
    ("narrow", "noticed"),
    [
        ("box(width: 40mm, clip: true, mono(it))", unseen),
        ("box(width: 40mm, mono(it.codepoints().join(box())))", clipped),
        ("mono(it, size: 14pt)", clipped),
    ],
)
def test_a_hash_that_is_clipped_broken_or_too_wide_would_be_noticed(
    narrow: str, noticed: Callable[[bytes, set[str]], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    template = rendering._template().decode()
    assert "#let hash(it) = mono(it)\n" in template
    worse = template.replace("#let hash(it) = mono(it)\n", f"#let hash(it) = {narrow}\n").encode()
    monkeypatch.setattr(rendering, "_template", lambda: worse)
    report = sample.report()
    assert noticed(render(report, "en"), sample.hashes(report))


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_has_the_structure_of_a_pdf_a_3b(language: str) -> None:
    found = structure(render(sample.report(), language))
    assert found["fonts"] > 0
    assert found["language"] == language
    assert A_3B.items() <= found.items()


def test_an_ordinary_pdf_does_not_have_that_structure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "STANDARD", "1.7")
    assert not A_3B.items() <= structure(render(sample.report(), "en")).items()


async def test_signed_it_is_still_a_pdf_a_and_other_programs_find_it_valid(
    signer: OrganisationSigner,
    demo: Demonstration,
    tmp_path: Path,
) -> None:
    signed = await signer.sign_pdf(render(sample.report(), "ky"), reason="Custody report")
    assert A_3B.items() <= structure(signed).items()
    (tmp_path / "report.pdf").write_bytes(signed)
    said = run("pdfsig", "-nocert", "report.pdf", where=tmp_path).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert run("qpdf", "--check", "report.pdf", where=tmp_path).returncode == 0
    at = signed.index(b"stream\n") + 40
    (tmp_path / "report.pdf").write_bytes(signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :])
    assert "Digest Mismatch" in run("pdfsig", "-nocert", "report.pdf", where=tmp_path).stdout


def test_kyrgyz_and_kazakh_letters_can_be_read_out_again() -> None:
    letters = "Ң Ө Ү ң ө ү Қ Ғ Ә Ұ Һ І қ ғ ә ұ һ і Ў Ӣ"
    report = replace(sample.report(), case_title=letters)
    assert letters in text_of(render(report, "ky"))


def test_kyrgyz_says_on_its_first_page_that_it_is_a_draft() -> None:
    first = text_of(render(sample.report(), "ky")).split("\f")[0]
    assert "draft, not reviewed" in first
    assert "draft" not in text_of(render(sample.report(), "en")).split("\f")[0]


def test_every_page_carries_the_number_and_says_which_of_how_many_it_is() -> None:
    pages = text_of(render(sample.report(30), "en")).rstrip("\f").split("\f")
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        assert sample.report().number in page
        assert f"Page {number} of {len(pages)}" in page
        assert "DEMONSTRATION" in page


def test_only_a_demonstration_is_called_one() -> None:
    report = replace(sample.report(), demonstration=False, certificate=None)
    assert "DEMONSTRATION" not in text_of(render(report, "en"))


def test_the_code_on_the_first_page_is_the_package_number(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(render(sample.report(), "ru"))
    subprocess.run(["pdftoppm", "-r", "150", "-png", "-l", "1", "report.pdf", "page"], cwd=tmp_path, check=True)
    with Image.open(next(tmp_path.glob("page*.png"))) as picture:
        found = zxingcpp.read_barcodes(picture)
    assert [code.text for code in found] == [sample.report().number]


def test_the_twelve_steps_are_there_with_the_numbers_every_tool_uses() -> None:
    text = text_of(render(sample.report(), "en"))
    for number, name in enumerate(
        ("Archive", "Bag", "Payload", "Tag files", "Trust policy", "Inclusion", "Chains", "Seal", "Receipts",
         "People's signatures", "Organisation's signature", "Timestamps"), 1,
    ):  # fmt: skip
        assert re.search(rf"^ *{number} +{name}", text, re.MULTILINE), name


def test_both_times_the_means_of_signing_and_both_sides_seals_are_told() -> None:
    text = " ".join(text_of(render(sample.report(), "en")).split())
    for said in (
        "Server 02.03.2027 03:15:04 +06:00", "Device 02.03.2027 03:14:56 +06:00", "Signed with the passkey",
        "a signed-in session only (weaker than a passkey)", "Seal as the giver saw it A1234567, Seal intact",
        "Seal as the receiver saw it A7654322, Seal number differs", "Discrepancy The seal reads A7654322",
        "2 of customs, police, prosecution", "police.example.org, 02.03.2027", "8400 entries at",
    ):  # fmt: skip
        assert said in text, said


def test_the_same_report_is_the_same_bytes() -> None:
    assert render(sample.report(), "en") == render(sample.report(), "en")


def test_a_language_nobody_wrote_is_refused() -> None:
    with pytest.raises(KeyError):
        render(sample.report(), "fr")


# ---- the three answers


def told(report, language: str = "en") -> str:
    return " ".join(text_of(render(report, language)).split())


def test_a_changed_file_is_said_at_the_top_and_at_the_file() -> None:
    report = sample.report()
    changed = replace(report, files=[replace(report.files[0], checked="changed"), *report.files[1:]])
    assert "NOT UNCHANGED: 1 of 3 files" in told(changed)
    assert "READ AGAIN: CHANGED" in told(changed)
    assert "NOT UNCHANGED" not in told(report)


def test_a_broken_chain_is_said_at_the_top_and_at_the_exhibit() -> None:
    report = sample.report()
    broken = replace(report, exhibits=[replace(report.exhibits[0], unbroken=False), report.exhibits[1]])
    assert f"BROKEN: the chain of {report.exhibits[0].number}" in told(broken)
    assert "THE CHAIN OF THIS EXHIBIT DOES NOT HOLD" in told(broken)
    assert "BROKEN" not in told(report)


def test_a_seal_that_was_not_intact_once_is_said_even_when_all_is_well_now() -> None:
    report = sample.report()
    assert f"SEALS REPORTED NOT INTACT: 1 events, on {report.exhibits[1].number}" in told(report)
    assert "No event reports a seal" in told(replace(report, exhibits=report.exhibits[:1]))
    bare = replace(
        report.exhibits[0], seal=Seal(number=None), chain=[replace(report.exhibits[0].chain[0], seal=Seal(number=None))]
    )
    assert "No exhibit of this report carries a seal" in told(replace(report, exhibits=[bare]))


def test_what_is_withheld_is_told_by_place_and_hash_and_nothing_else() -> None:
    report = sample.report()
    why = Why(code="OTHER-CODE", words="informant")
    step = replace(report.exhibits[0].chain[1], at=None, withheld=why, note="the secret note")
    hidden = replace(report.exhibits[0], chain=[report.exhibits[0].chain[0], step])
    file = replace(report.files[0], name="", withheld=why)
    text = told(replace(report, exhibits=[hidden], files=[file]))
    assert "Withheld · OTHER-CODE, informant" in text
    assert f"ledger/{step.index}.leaf" in text
    assert step.sha256 in text
    assert "WITHHELD from this package: OTHER-CODE, informant" in text
    assert "the secret note" not in text


def with_means(*means: str) -> Report:
    """The sample's first exhibit, handed over by these means."""
    report = sample.report()
    first, step, *_ = report.exhibits[0].chain
    handed = [replace(step, seq=n, signed=Signed(means=one, key="ab" * 32)) for n, one in enumerate(means, 2)]
    return replace(report, exhibits=[replace(report.exhibits[0], chain=[first, *handed])])


@pytest.mark.parametrize(
    ("means", "state", "said"),
    [
        (("passkey", "passkey"), "good", "Every hand-over (2 entries) is signed with a passkey."),
        (
            ("passkey", "pin"),
            "remark",
            "1 are signed with a passkey; 1 by PIN, which is weaker",
        ),
        (("passkey", "session"), "remark", "1 only by a signed-in session, which nobody can check"),
        (("passkey", ""), "remark", "1 only by a signed-in session, which nobody can check"),
    ],
)
def test_custody_is_plainly_unbroken_only_where_every_hand_over_has_a_passkey(
    means: tuple[str, ...], state: str, said: str
) -> None:
    report = with_means(*means)
    (custody,) = [one for one in truths(report, words("en")) if "custody" in one["question"]]
    assert custody["state"] == state
    assert said in told(report)


def test_a_withheld_entry_makes_custody_a_remark_because_it_may_be_a_hand_over() -> None:
    report = with_means("passkey", "passkey")
    chain = report.exhibits[0].chain
    hidden = replace(chain[2], at=None, withheld=Why(code="informant", words="who told"))
    report = replace(report, exhibits=[replace(report.exhibits[0], chain=[*chain[:2], hidden])])
    (custody,) = [one for one in truths(report, words("en")) if "custody" in one["question"]]
    assert custody["state"] == "remark"
    assert "Withheld events, any of which may be a hand-over: 1." in told(report)


def test_a_disputed_chain_is_said_at_the_top_and_in_the_chain_and_is_never_plainly_unbroken() -> None:
    report = with_means("passkey")
    one, chain = report.exhibits[0], report.exhibits[0].chain
    dispute = replace(chain[-1], seq=len(chain) + 1, kind="disputed", reason="moved", signed=Signed(means=""))
    standing = replace(one, disputed=True, chain=[*chain, dispute])
    text = told(replace(report, exhibits=[standing, *report.exhibits[1:]]))
    assert f"DISPUTED, and not resolved: {one.number}" in text
    assert "Disputed: agreed otherwise, not in effect" in text and "handed over twice" in text
    end = replace(dispute, seq=len(chain) + 2, kind="resolved", reason="mistaken", note="Asked both.")
    ended = told(replace(report, exhibits=[replace(one, chain=[*chain, dispute, end]), *report.exhibits[1:]]))
    assert f"A dispute about {one.number} was resolved" in ended and "Asked both." in ended


def test_a_signature_by_pin_is_called_weaker_at_its_event() -> None:
    text = told(with_means("pin"))
    assert "Signed by PIN, weaker than a passkey: software in one phone. Its key" in text


# ---- hostile words

HOSTILE = [
    '#read("/etc/passwd")', '#image("/etc/passwd")', "$ sum_(i=0)^n $", "`raw` *bold* _emph_ @label <label>",
    "#let x = 1; #x // comment /* more */", "\\u{1F600} \\ ~ -- --- ' \" [x](y) = heading", "#panic()",
    '#eval("1+1")', '"], "evil": ["', "100% x %(page)s \x01 \x02",
]  # fmt: skip


@pytest.mark.parametrize("words_", HOSTILE)
def test_words_are_printed_as_they_are_and_never_obeyed(words_: str) -> None:
    report = sample.report()
    exhibit = replace(report.exhibits[0], description=words_, holder=Person(name=words_))
    text = told(replace(report, case_title=words_, exhibits=[exhibit]))
    said = " ".join(str(shown(words_)).split())
    assert text.count(said) == 3, said


def test_characters_without_a_shape_and_those_that_turn_text_around_are_shown_by_code() -> None:
    report = sample.report()
    name = "Ali\u202egnp.exe\u2066 \x00\x07 漢字 🚚 علي\u200e"
    present = [Present(role="driver", name=name)]
    text = told(replace(report, seizures=[replace(report.seizures[0], present=present)]))
    assert "Ali[U+202E]gnp.exe[U+2066] [U+0000][U+0007] [U+6F22][U+5B57]" in text
    assert "[U+1F69A]" in text


@pytest.mark.parametrize("words_", ["A" * 10_000, "слово " * 1_700, "line\n" * 2_000, "9" * 9_999 + "\u202e"])
def test_ten_thousand_characters_stay_between_the_margins_and_lose_nothing(words_: str) -> None:
    report = sample.report()
    step = replace(report.exhibits[0].chain[1], note=words_)
    exhibit = replace(report.exhibits[0], description=words_, chain=[report.exhibits[0].chain[0], step])
    pdf = render(replace(report, exhibits=[exhibit], case_title=words_), "en")
    assert all(word.left >= MARGIN - 1 and word.right <= WIDTH - MARGIN + 1 for word in words_of(pdf))
    letter = words_[0]
    kept = "".join(word.text for word in words_of(pdf)).count(letter)
    assert kept >= 3 * words_.count(letter)


@pytest.mark.parametrize(
    "source", ['#read("/etc/hostname")', '#image("../../../etc/hostname")', '#import "@preview/cetz:0.3.4"']
)
def test_the_typesetter_reads_no_file_of_the_machine_and_fetches_nothing(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "_template", source.encode)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(ReportError):
        render(sample.report(), "en")


def test_a_preview_that_is_no_picture_is_refused_in_words() -> None:
    report = sample.report()
    broken = replace(report.exhibits[0].photographs[0], preview=b"\xff\xd8\xff\xe0 not a picture")
    with pytest.raises(ReportError, match="cannot be typeset"):
        render(replace(report, exhibits=[replace(report.exhibits[0], photographs=[broken])]), "en")


# ---- words


def leaves(tree, at: str = "") -> dict[str, str]:
    if isinstance(tree, dict):
        return {k: v for name, branch in tree.items() for k, v in leaves(branch, f"{at}.{name}").items()}
    if isinstance(tree, list):
        return {k: v for n, branch in enumerate(tree) for k, v in leaves(branch, f"{at}.{n}").items()}
    return {at: tree}


@pytest.mark.parametrize("language", ["ru", "ky"])
def test_every_language_says_everything_with_the_same_values_to_fill_in(language: str) -> None:
    english, other = leaves(words("en").tree), leaves(words(language).tree)
    assert english.keys() == other.keys()
    for name, text in english.items():
        assert sorted(re.findall(r"%\(\w+\)s", text)) == sorted(re.findall(r"%\(\w+\)s", other[name])), name
    same = [name for name, text in english.items() if text == other[name] and text and name != ".draft"]
    assert same == []
