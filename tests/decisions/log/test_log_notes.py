"""Signed notes, keys, checkpoints and proofs, against the texts that C2SP and Go publish."""

from __future__ import annotations

import base64

import pytest

from solon.decisions.log import checkpoint, note, proof
from solon.decisions.log.errors import LogError
from solon.decisions.log.note import SigningKey, VerifierKey

# The example of C2SP's signed-note.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The example of the documentation of Go's sumdb/note.
GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"


def test_the_published_note_verifies() -> None:
    key = VerifierKey.parse(VKEY)
    assert str(key) == VKEY
    assert note.signed_by(NOTE, [key]) == ("This is an example message.\n", [key])


def test_a_signature_is_the_one_that_go_makes() -> None:
    key = SigningKey.parse(GO_SKEY)
    assert key.secret() == GO_SKEY
    assert str(key.verifier) == GO_VKEY
    assert key.sign(GO_TEXT) == GO_LINE
    assert note.signed_by(f"{GO_TEXT}\n{GO_LINE}", [key.verifier])[0] == GO_TEXT


def test_a_key_does_not_show_its_seed() -> None:
    assert repr(SigningKey.parse(GO_SKEY)) == "SigningKey('PeterNeumann')"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (NOTE.replace("an example", "no example"), "does not verify"),
        (NOTE.replace("example.com/foo", "example.com/bar"), "is not signed by"),
        (NOTE.replace("\n\n", "\n"), "is no signed note"),
        (NOTE.removesuffix("\n"), "is no signed note"),
        (NOTE + "\n", "is no signed note"),
        (NOTE.replace("—", "-"), "is no signed note"),
        (NOTE.replace("Uw2Q", "!!!!"), "not base64"),
        (NOTE.replace("message", "mess\tage"), "is no signed note"),
        ("", "is no signed note"),
        ("\n\n", "is no signed note"),
    ],
)
def test_a_note_that_was_changed(text: str, wrong: str) -> None:
    with pytest.raises(LogError, match=wrong):
        note.signed_by(text, [VerifierKey.parse(VKEY)])


def test_signatures_of_others_say_nothing() -> None:
    text = NOTE + GO_LINE + "— example.com/foo AAAAAAAA\n"
    assert note.signed_by(text, [VerifierKey.parse(VKEY)])[1] == [VerifierKey.parse(VKEY)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("example.com/foo", "example.com/bar"),
        VKEY.replace("AekyeR", "AukyeR"),
        VKEY[:-4],
        "a b+" + VKEY.split("+", 1)[1],
    ],
)
def test_a_public_key_that_is_none(text: str) -> None:
    with pytest.raises(LogError):
        VerifierKey.parse(text)


@pytest.mark.parametrize("text", ["", GO_VKEY, GO_SKEY.replace("c74f20a3", "c74f20a4"), GO_SKEY[:-8]])
def test_a_signing_key_that_is_none(text: str) -> None:
    with pytest.raises(LogError) as raised:
        SigningKey.parse(text)
    assert "AYEKFALVFGyN" not in str(raised.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\tb", "a\u2003b", "x" * 201])
def test_a_name_that_no_key_can_have(name: str) -> None:
    with pytest.raises(LogError):
        note.check_name(name)


KEY = SigningKey("log.example/a", bytes(range(32)))
ROOT = bytes(range(32))


def test_a_checkpoint() -> None:
    signed = checkpoint.Checkpoint("log.example/a/decisions/0001", 20852163, ROOT).signed(KEY)
    body, blank, line = signed.text.partition("\n\n")
    assert body == f"log.example/a/decisions/0001\n20852163\n{base64.b64encode(ROOT).decode()}"
    assert blank
    assert line.startswith("— log.example/a/decisions/0001 ")
    read = checkpoint.verified(signed.text, KEY.verifier)
    assert (read.origin, read.size, read.root) == ("log.example/a/decisions/0001", 20852163, ROOT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n20852163\n", "\n20852164\n"),
        ("\n20852163\n", "\n020852163\n"),
        ("\n20852163\n", "\n-1\n"),
        ("\n20852163\n", "\n２\n"),
        ("/0001\n2", "/0002\n2"),
        ("AAECAw", "AAEC"),
        ("AAECAw", "AAECBA"),
    ],
)
def test_a_checkpoint_that_was_changed(old: str, new: str) -> None:
    text = checkpoint.Checkpoint("log.example/a/decisions/0001", 20852163, ROOT).signed(KEY).text
    assert old in text
    with pytest.raises(LogError):
        checkpoint.verified(text.replace(old, new, 1), KEY.verifier)


def test_notes_in_one_file() -> None:
    notes = [checkpoint.Checkpoint("log.example/a", size, ROOT).signed(KEY).text for size in (1, 2, 3)]
    assert list(checkpoint.several("\n".join(notes))) == notes
    assert list(checkpoint.several("".join(notes))) == notes
    assert list(checkpoint.several("")) == []


def test_a_cosignature() -> None:
    """The message is the one that C2SP's tlog-cosignature gives, with a header and a time before the checkpoint."""
    assert note.cosigned(
        b"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", 1679315147
    ) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )
    witness = SigningKey("witness.example/w1", bytes(32), note.COSIGNATURE)
    signed = checkpoint.Checkpoint("log.example/a", 5, ROOT).signed(KEY)
    text = signed.text + witness.sign(signed.body, 1679315147)
    assert checkpoint.cosigners(text, [witness.verifier]) == [witness.verifier]
    assert checkpoint.cosigners(signed.text, [witness.verifier]) == []
    with pytest.raises(LogError, match="does not verify"):
        checkpoint.cosigners(text.replace("\n5\n", "\n6\n"), [witness.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n\nx",
        "c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n\nx",
        "c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nx",
        "c2sp.org/tlog-proof@v1\nextra AgACAAA=\nindex 00\n\nx",
        "c2sp.org/tlog-proof@v1\nextra AgACAAA=\nindex 0\nAAAA\n\nx",
        "c2sp.org/tlog-proof@v2\nextra AgACAAA=\nindex 0\n\nx",
    ],
)
def test_a_proof_that_is_none(text: str) -> None:
    with pytest.raises(LogError, match="is no proof"):
        proof.parse(text)
