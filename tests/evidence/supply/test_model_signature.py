"""Signatures of models, made by the model_signing library: what is signed is what lies here, or we say what is not."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from supply_releases import given, key_pair, written

from solon.evidence.collector import CannotCollect, Operator
from solon.evidence.supply import signature
from solon.evidence.supply.result import Signature
from solon.signing import dsse

MODEL = {"model/weights.bin": b"\1" * 500, "model/config.json": "{}", "model/vocab/words.txt": "a b c"}


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, str]:
    return key_pair(tmp_path / "keys")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return written(tmp_path / "release", MODEL)


def sign(root: Path, private: str, at: str = "model", bundle: str = "model.sig", hashing: Any = None) -> Path:
    from model_signing import signing

    made = signing.Config().use_elliptic_key_signer(private_key=private)
    if hashing is not None:
        made.set_hashing_config(hashing)
    made.sign(root / at, root / bundle)
    return root / bundle


def library_verifies(root: Path, public: str) -> bool:
    from model_signing import verifying

    try:
        verifying.Config().use_elliptic_key_verifier(public_key=public).verify(
            root / "model", root / "model.sig"
        )
    except ValueError:
        return False
    return True


def result(root: Path, *keys: str, model: list[str] | None = None, bundle: str = "model.sig") -> Signature:
    found = signature.collect(given(root, model or ["model"], Operator(keys=keys), signature=bundle))
    assert found is not None
    assert isinstance(found.result, Signature)
    return found.result


def test_a_release_that_declares_no_signature_has_no_evidence_of_one(root: Path) -> None:
    assert signature.collect(given(root, ["model"])) is None
    assert signature.collect(given(root, ["model"], lock="requirements.txt")) is None


@pytest.mark.parametrize(
    "curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda each: each.name
)
def test_what_the_library_signed_is_verified(root: Path, tmp_path: Path, curve: Any) -> None:
    private, public = key_pair(tmp_path / "keys", curve=curve)
    sign(root, private)
    der = serialization.load_pem_public_key(Path(public).read_bytes()).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    by = "sha256:" + hashlib.sha256(der).hexdigest()
    assert result(root, public) == Signature(verified=True, key=by, files=3)


def test_the_bundle_is_measured(root: Path, keys: tuple[str, str]) -> None:
    bundle = sign(root, keys[0])
    found = signature.collect(given(root, ["model"], Operator(keys=keys[1:]), signature="model.sig"))
    assert found is not None
    (measured,) = found.measured
    assert (measured.what, measured.path) == ("signature", "model.sig")
    assert measured.digest == "sha256:" + hashlib.sha256(bundle.read_bytes()).hexdigest()


def change_weights(root: Path) -> None:
    written(root, {"model/weights.bin": b"\1" * 499 + b"\2"})


def add_a_file(root: Path) -> None:
    written(root, {"model/vocab/run.py": "import os"})


def add_an_empty_file(root: Path) -> None:
    written(root, {"model/__init__.py": ""})


def remove_a_file(root: Path) -> None:
    (root / "model/config.json").unlink()


def rename_a_file(root: Path) -> None:
    (root / "model/config.json").rename(root / "model/settings.json")


@pytest.mark.parametrize(
    ("tamper", "problem", "as_signed"),
    [
        (change_weights, "changed since it was signed: model/weights.bin", 2),
        (add_a_file, "not signed: model/vocab/run.py", 3),
        (add_an_empty_file, "not signed: model/__init__.py", 3),
        (remove_a_file, "signed, and not released: config.json", 2),
        (rename_a_file, "not signed: model/settings.json; signed, and not released: config.json", 2),
    ],
)
def test_what_changed_after_signing_is_named(
    root: Path, keys: tuple[str, str], tamper: Any, problem: str, as_signed: int
) -> None:
    sign(root, keys[0])
    tamper(root)
    found = result(root, keys[1])
    assert (found.verified, found.problem, found.files) == (False, problem, as_signed)
    assert not library_verifies(root, keys[1])


@pytest.mark.parametrize("name", [".git/evil.pkl", ".github/evil.pkl", ".gitignore", ".gitattributes"])
def test_files_that_the_library_leaves_out_are_outside_of_the_signature(
    root: Path, keys: tuple[str, str], name: str
) -> None:
    sign(root, keys[0])
    written(root, {f"model/{name}": b"\x80\x04."})
    assert library_verifies(root, keys[1])
    found = result(root, keys[1])
    assert (found.verified, found.outside) == (True, [f"model/{name}"])


def test_a_git_directory_further_down_is_not_left_out(root: Path, keys: tuple[str, str]) -> None:
    sign(root, keys[0])
    written(root, {"model/vocab/.git/evil.pkl": b"\x80\x04."})
    assert result(root, keys[1]).problem == "not signed: model/vocab/.git/evil.pkl"


def test_files_that_the_signer_left_out_are_outside_of_the_signature(
    root: Path, keys: tuple[str, str]
) -> None:
    from model_signing import hashing

    sign(root, keys[0], hashing=hashing.Config().set_ignored_paths(paths=["vocab"]))
    written(root, {"model/vocab/evil.pkl": b"\x80\x04."})
    assert library_verifies(root, keys[1])
    found = result(root, keys[1])
    assert (found.verified, found.files) == (True, 2)
    assert found.outside == ["model/vocab/evil.pkl", "model/vocab/words.txt"]


def test_the_bundle_among_the_files_is_not_outside_of_itself(root: Path, keys: tuple[str, str]) -> None:
    from model_signing import hashing

    sign(
        root,
        keys[0],
        bundle="model/model.sig",
        hashing=hashing.Config().set_ignored_paths(paths=["model.sig"]),
    )
    found = result(root, keys[1], bundle="model/model.sig")
    assert (found.verified, found.files, found.outside) == (True, 4, [])


@pytest.mark.parametrize("algorithm", ["blake2", "blake3"])
def test_other_digests_than_sha_256_are_computed(root: Path, keys: tuple[str, str], algorithm: Any) -> None:
    from model_signing import hashing

    sign(root, keys[0], hashing=hashing.Config().use_file_serialization(hashing_algorithm=algorithm))
    assert result(root, keys[1]).verified
    change_weights(root)
    assert result(root, keys[1]).problem == "changed since it was signed: model/weights.bin"


def test_shards_must_be_the_whole_file(root: Path, keys: tuple[str, str]) -> None:
    from model_signing import hashing

    written(root, {"model/empty": ""})
    sign(root, keys[0], hashing=hashing.Config().use_shard_serialization(shard_size=200))
    found = result(root, keys[1])
    # An empty file has no shards: the signature says nothing of it.
    assert (found.verified, found.files, found.outside) == (True, 3, ["model/empty"])
    for content in (b"\1" * 501, b"\1" * 400, b"\1" * 199 + b"\2" + b"\1" * 300):
        written(root, {"model/weights.bin": content})
        assert result(root, keys[1]).problem == "changed since it was signed: model/weights.bin"


def test_a_file_is_signed_by_itself(root: Path, keys: tuple[str, str]) -> None:
    sign(root, keys[0], at="model/weights.bin")
    assert result(root, keys[1], model=["model/weights.bin"]).verified
    change_weights(root)
    assert not result(root, keys[1], model=["model/weights.bin"]).verified


def test_several_directories_are_signed_from_that_of_the_release(root: Path, keys: tuple[str, str]) -> None:
    from model_signing import hashing

    written(root, {"tokenizer/words.txt": "x", "release.yaml": "kind: solon.release/v1"})
    sign(
        root, keys[0], at=".", hashing=hashing.Config().set_ignored_paths(paths=["release.yaml", "model.sig"])
    )
    found = result(root, keys[1], model=["model", "tokenizer"])
    assert (found.verified, found.files, found.outside) == (True, 4, [])
    assert result(root, keys[1], model=["tokenizer", "tokenizer"]).problem == (
        "signed, and not released: model/config.json, model/vocab/words.txt, model/weights.bin"
    )


def test_another_key_does_not_verify(root: Path, tmp_path: Path, keys: tuple[str, str]) -> None:
    sign(root, keys[0])
    _, other = key_pair(tmp_path / "keys", "other")
    assert result(root, other) == Signature(
        verified=False, problem="model.sig is signed by none of the trusted keys, or was changed"
    )
    assert result(root, other, keys[1]).verified


def test_without_a_key_nothing_is_verified(root: Path, keys: tuple[str, str]) -> None:
    sign(root, keys[0])
    assert result(root) == Signature(
        verified=False, problem="no key was given that the model may be signed by (--signer)"
    )


def test_the_bundle_of_another_model_does_not_verify(
    root: Path, tmp_path: Path, keys: tuple[str, str]
) -> None:
    other = written(tmp_path / "other", {"model/weights.bin": b"\3", "model/config.json": "{}"})
    (root / "model.sig").write_bytes(sign(other, keys[0]).read_bytes())
    assert result(root, keys[1]).problem == (
        "changed since it was signed: model/weights.bin; not signed: model/vocab/words.txt"
    )


def changed(root: Path, private: str, **what: Any) -> None:
    """The bundle, with fields of its envelope changed."""
    bundle = sign(root, private)
    whole = json.loads(bundle.read_bytes())
    whole["dsseEnvelope"] |= what
    bundle.write_text(json.dumps(whole))


def test_an_envelope_that_was_changed_does_not_verify(root: Path, keys: tuple[str, str]) -> None:
    bundle = sign(root, keys[0])
    payload = base64.b64decode(json.loads(bundle.read_bytes())["dsseEnvelope"]["payload"])
    add_a_file(root)
    forged = json.loads(payload)
    forged["predicate"]["serialization"]["ignore_paths"].append("vocab")
    changed(root, keys[0], payload=base64.b64encode(json.dumps(forged).encode()).decode())
    assert result(root, keys[1]).problem == "model.sig is signed by none of the trusted keys, or was changed"
    changed(root, keys[0], signatures=[])
    assert not result(root, keys[1]).verified


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "model.sig is no Sigstore bundle with a DSSE envelope"),
        (b"\xff\xfe{}", "model.sig is no Sigstore bundle with a DSSE envelope"),
        (b"null", "model.sig is no Sigstore bundle with a DSSE envelope"),
        (b'{"mediaType": ' + b"[" * 200_000, "model.sig is no Sigstore bundle with a DSSE envelope"),
        (b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "messageSignature": {}}',
         "model.sig is no Sigstore bundle with a DSSE envelope"),
        (b'{"mediaType": "text/html", "dsseEnvelope": {}}', "model.sig is no Sigstore bundle, but 'text/html'"),
        (b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": {}}',
         "model.sig is no DSSE envelope"),
        (b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": ' + b"[" * 9999 + b"]" * 9999 + b"}",
         "model.sig is no Sigstore bundle with a DSSE envelope"),
        (b" " * (25 << 20), "model.sig is larger than 24 MiB"),
    ],
    ids=["empty", "not UTF-8", "null", "deep", "no envelope", "media type", "empty envelope", "deep envelope", "huge"],
)  # fmt: skip
def test_what_is_no_bundle_is_said(root: Path, keys: tuple[str, str], content: bytes, problem: str) -> None:
    (root / "model.sig").write_bytes(content)
    assert result(root, keys[1]) == Signature(verified=False, problem=problem)


RESOURCE = {"name": "weights.bin", "algorithm": "sha256", "digest": "ab" * 32}
FILES = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
SHARDS = {"method": "shards", "hash_type": "sha256", "shard_size": 9, "allow_symlinks": False}


@pytest.mark.parametrize(
    ("predicate", "problem"),
    [
        ({}, "model.sig is signed, and does not list files with their digests"),
        ({"resources": [{**RESOURCE, "digest": "xyz"}], "serialization": FILES},
         "model.sig is signed, and does not list files with their digests"),
        ({"resources": [], "serialization": FILES}, "model.sig signs no files"),
        ({"resources": [{**RESOURCE, "algorithm": "md5"}], "serialization": FILES},
         "model.sig has digests of the kind 'md5', which is not known"),
        ({"resources": [RESOURCE], "serialization": SHARDS},
         "model.sig names a part of a file as 'weights.bin', and not as NAME:START:END"),
        ({"resources": [{**RESOURCE, "name": "weights.bin:-1:³"}], "serialization": SHARDS},
         "model.sig names a part of a file as 'weights.bin:-1:³', and not as NAME:START:END"),
        ({"resources": [RESOURCE, RESOURCE], "serialization": FILES},
         "changed since it was signed: model/weights.bin; not signed: model/config.json, model/vocab/words.txt"),
        ({"resources": [{**RESOURCE, "name": "../model/weights.bin"}], "serialization": FILES},
         "not signed: model/config.json, model/vocab/words.txt, model/weights.bin; signed, and not released: ../model/weights.bin"),
    ],
)  # fmt: skip
def test_a_trusted_key_may_sign_nonsense(root: Path, tmp_path: Path, predicate: Any, problem: str) -> None:
    digests = b"".join(
        bytes.fromhex(each["digest"]) for each in predicate.get("resources", []) if each["digest"] != "xyz"
    )
    subject = {"model": hashlib.sha256(digests).hexdigest()}
    public = ed25519(root, tmp_path, dsse.statement(subject, signature.PREDICATE_TYPE, predicate))
    found = result(root, public)
    assert (found.verified, found.problem) == (False, problem)


def ed25519(root: Path, tmp_path: Path, statement: dsse.Statement) -> str:
    key = Ed25519PrivateKey.generate()
    envelope = json.loads(dsse.sign(statement, key))
    bundle = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": envelope}
    (root / "model.sig").write_text(json.dumps(bundle))
    public = tmp_path / "ed25519.pub.pem"
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return str(public)


def test_a_statement_of_something_else_is_no_signature_of_a_model(root: Path, tmp_path: Path) -> None:
    statement = dsse.statement({"model": "ab" * 32}, "https://slsa.dev/provenance/v1", {})
    assert result(root, ed25519(root, tmp_path, statement)).problem == (
        "model.sig is a statement of the type 'https://slsa.dev/provenance/v1', not of a model: "
        "sign with model-signing 1.0 or later"
    )


def test_the_digest_of_the_whole_must_be_that_of_the_files(root: Path, tmp_path: Path) -> None:
    predicate = {"resources": [RESOURCE], "serialization": FILES}
    public = ed25519(root, tmp_path, dsse.statement({"m": "00" * 32}, signature.PREDICATE_TYPE, predicate))
    assert result(root, public).problem == (
        "model.sig contradicts itself: the digest of the whole is not that of its files"
    )


def rsa_key() -> bytes:
    key = rsa.generate_private_key(65537, 2048).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def private_key() -> bytes:
    return b"-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("pem", "problem"),
    [
        (b"hello", "is not a public key in PEM"),
        (rsa_key(), "is not an Ed25519 key, nor one on the curves P-256, P-384 or P-521"),
        (private_key(),
         "holds a private key, and must hold the public one: make a new pair, this one is known"),
    ],
    ids=["no key", "RSA", "private"],
)  # fmt: skip
def test_a_key_that_is_none_is_an_error(root: Path, tmp_path: Path, pem: bytes, problem: str) -> None:
    key = tmp_path / "key.pub.pem"
    key.write_bytes(pem)
    (root / "model.sig").write_text("{}")
    with pytest.raises(CannotCollect) as raised:
        result(root, str(key))
    assert str(raised.value) == f"{key}: {problem}"


def test_a_bundle_or_key_that_is_not_there_is_an_error(root: Path, keys: tuple[str, str]) -> None:
    with pytest.raises(CannotCollect, match=r"^model\.sig: no such file in the release$"):
        result(root, keys[1])
    sign(root, keys[0])
    with pytest.raises(CannotCollect, match="no such file or directory"):
        result(root, "/nowhere/key.pem")


def test_many_names_are_cut(root: Path, keys: tuple[str, str]) -> None:
    sign(root, keys[0])
    written(root, {f"model/{number}.bin": "x" for number in range(9)})
    assert result(root, keys[1]).problem == (
        "not signed: model/0.bin, model/1.bin, model/2.bin, model/3.bin, model/4.bin and 4 more"
    )
