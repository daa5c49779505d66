"""Files of text: what they are, by what they say, and what in them would be run."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from solon.evidence.artifacts.limits import Limits
from solon.evidence.artifacts.source import Source
from solon.evidence.artifacts.texts import keras, mlflow, settings, skops, templates
from solon.evidence.artifacts.told import Told, shown

_HEAD: Final = 8192
_MAX_CONTAINERS: Final = 2_000_000
_MAX_QUOTES: Final = 12_000_000
_MAX_TAGS: Final = 200
_MAX_DOCUMENTS: Final = 100
_MAX_LINES: Final = 500_000
_CONTROL: Final = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FENCED: Final = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_PYTHON: Final = re.compile(
    r"^(?:import [A-Za-z_][\w.]{0,100}(?: as \w{1,100})?(?:, ?[\w.]{1,100}){0,20}|from [.\w]{1,100} import [\w*(][^\n]{0,300}"
    r"|(?:async )?def \w{1,100}\([^\n]{0,300}|class \w{1,100}(?:\([^\n]{0,300}\))?:|if __name__ ==[^\n]{0,40}:)[ \t]{0,20}(?:#[^\n]*)?$",
    re.MULTILINE,
)
_YAML_TAG: Final = re.compile(r"(?:^|[\s\[{,:?-])!(?:[A-Za-z<!]|%)", re.MULTILINE)
_YAML: Final = re.compile(r"---\s*$|[%{\[?&!]|[\"']?[\w.$/ -]+[\"']?:(?:\s|$)|- ")
_SUSPECT: Final = re.compile(
    r"(?:_target_|_component_|auto_map|trust_remote_code|loader_module)[\"']?\s{0,8}:(?:\s|$)|!python/|2002:python/|%TAG"
    r"|\\[xuU][0-9a-fA-F]{2}[^\"\n]{0,100}\"\s{0,8}:"
)
_HANDLER: Final = re.compile(r"<[a-z][^<>]{0,1000}\son[a-z]{3,20}\s?=")
_XML: Final = re.compile(r"\s*<\?xml\b|\s*<(?:PMML|net|svg|html|!DOCTYPE)\b", re.IGNORECASE)


def encoding_of(head: bytes, *, whole: bool) -> str | None:
    """The encoding of a content that is text; None where it is none. ``whole`` where nothing follows the head."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if _CONTROL.search(head):
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head, final=whole)
    except UnicodeDecodeError:
        return None
    return "utf-8"


def read(source: Source, encoding: str, limits: Limits) -> Told | None:
    """None where it is no text after all. Raises Broken and TooMuch."""
    stream = source.stream()
    data = b"".join(stream.chunks(limits.text))
    large = stream.need(1)
    if encoding == "utf-8" and _CONTROL.search(data):
        return None
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data, final=not large)
    except UnicodeDecodeError:
        return None
    told = _told(text, limits) if not large else _large(text)
    told.bytes = source.size if source.size is not None else len(data) + stream.skip(1 << 62)
    return told


def _large(text: str) -> Told:
    told = Told("text")
    if text.lstrip()[:1] in ("{", "["):
        told.format = "json"
    return told.unknown(f"text of more than {len(text) >> 20} MiB: only its beginning was looked at")


def _told(text: str, limits: Limits) -> Told:
    if not text.strip():
        return Told("text")
    if text.startswith("#!"):
        return Told("script").unsafe(f"a script, run by {shown(text[2:].partition(chr(10))[0].strip(), 100)}")
    if text.lstrip()[:1] in ("{", "[") and (told := _json(text)) is not None:
        return told
    if _XML.match(text):
        return _xml(text)
    if text.startswith("tree\nversion="):
        return Told("lightgbm")
    if templates.is_template(text) and (found := templates.dangers(text)):
        told = Told("template")
        for danger in found:
            told.unsafe(danger)
        return told
    if _is_python(text):
        return Told("python").unsafe("Python source: whoever imports it runs it")
    return _yaml(text, limits)


def _json(text: str) -> Told | None:
    """None where it is no JSON."""
    if text.count("{") + text.count("[") > _MAX_CONTAINERS or text.count('"') > _MAX_QUOTES:
        return Told("json").unknown("more values in it than are looked at")
    try:
        value = json.loads(text)
    except RecursionError:
        return Told("json").unknown("nested too deeply")
    except ValueError:
        return _json_lines(text)
    told = Told("json")
    explain(told, value)
    return told


def _json_lines(text: str) -> Told | None:
    """One value a line, as data sets have it."""
    told = Told("jsonl")
    for number, line in enumerate(text.splitlines()):
        if number == _MAX_LINES:
            return told.unknown(f"more than {_MAX_LINES} lines: those beyond are not looked at")
        if line.strip():
            try:
                explain(told, json.loads(line))
            except (ValueError, RecursionError):
                return None
        if len(told.reasons) > 8:
            break
    return told


def explain(told: Told, value: Any) -> None:
    """What a document is, and what of it would be run."""
    if skops.is_schema(value):
        told.format = "skops-schema"
        skops.explain(told, value)
        return
    if mlflow.is_model(value):
        told.format = "mlmodel"
        mlflow.explain(told, value)
    elif keras.is_config(value):
        told.format = "keras-config"
    elif isinstance(value, dict) and isinstance(value.get("learner"), dict) and "version" in value:
        told.format = "xgboost-json"
    elif isinstance(value, dict) and isinstance(value.get("cells"), list) and "nbformat" in value:
        told.format = "notebook"
        told.unsafe("a notebook: code, for whoever runs its cells")
    elif isinstance(value, dict) and isinstance(value.get("model"), dict) and "added_tokens" in value:
        told.format = "tokenizer-json"
    for danger in keras.dangers(value) if _has_keras(value) else ():
        told.unsafe(danger)
    settings.explain(told, value)


def _has_keras(value: Any) -> bool:
    """Whether objects of Keras may be anywhere in it: other documents have `module` keys, too."""
    return keras.is_config(value) or (
        isinstance(value, dict)
        and any(keras.is_config(v) for v in (value.get("model_config"), value.get("model")))
    )


def _xml(text: str) -> Told:
    told = Told("pmml" if "<PMML" in text[:_HEAD] else "xml")
    if "<!ENTITY" in text or ("<!DOCTYPE" in text and "[" in text.partition("<!DOCTYPE")[2][:_HEAD]):
        told.unsafe("declares entities: readers may be made to open other files")
    lowered = text.lower()
    if "<script" in lowered or "javascript:" in lowered or _HANDLER.search(lowered):
        told.format = "html" if "<html" in lowered else told.format
        told.unsafe("has scripts: a browser that shows it runs them")
    return told


def _is_python(text: str) -> bool:
    """Whether it reads like Python source, what stands in fences of Markdown aside."""
    outside = _FENCED.sub("", text) if "```" in text or "~~~" in text else text
    return _PYTHON.search(outside) is not None


def _yaml(text: str, limits: Limits) -> Told:
    """A text; YAML where it is a mapping or a list, and whatever it is where it has tags that make objects."""
    told = Told("text")
    if len(text) > limits.yaml:
        if _SUSPECT.search(text):
            told.unknown("may be YAML that asks for code, and is too long to be read as such")
        return told
    if _YAML_TAG.search(text) or "%TAG" in text:
        for tag in _yaml_tags(text):
            _explain_tag(told, tag)
    if told.reasons or not _YAML.match(_without_comments(text)):
        return told
    values, whole = _yaml_values(text)
    for value in values:
        if whole:
            told.format = "yaml"
        explain(told, value)
    if not whole and not told.reasons and _SUSPECT.search(text):
        told.unknown("may be YAML that asks for code, and cannot be read as such")
    return told


def _without_comments(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")


def _yaml_tags(text: str) -> Iterator[str]:
    """As a YAML parser has them, directives and escapes resolved, as far as it comes."""
    import yaml

    tags = 0
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            tag = getattr(event, "tag", None)
            if isinstance(tag, str) and tag != "!":
                yield tag
                tags += 1
                if tags == _MAX_TAGS:
                    return
    except (yaml.YAMLError, ValueError, RecursionError):
        return


def _yaml_values(text: str) -> tuple[list[Any], bool]:
    """The mappings and lists among the documents of a text, and whether it could be read to its end."""
    from solon.subjects.documents import Problem, decode_yaml

    values: list[Any] = []
    try:
        for document in decode_yaml(text):
            if isinstance(document, Problem) or len(values) == _MAX_DOCUMENTS:
                return values, False
            if not isinstance(document.value, dict | list):
                return values, False
            values.append(document.value)
    except (ValueError, RecursionError):
        return values, False
    return values, True


def _explain_tag(told: Told, tag: str) -> None:
    core = "tag:yaml.org,2002:"
    if tag.startswith(core + "python/"):
        told.format = "yaml"
        told.unsafe(f"a tag that makes Python objects: {shown(tag.removeprefix(core), 100)}")
    elif tag.startswith(("!new:", "!name:", "!apply:", "!module:", "!include:", "!ref")) and ":" in tag:
        told.format = "yaml"
        told.unsafe(f"a tag that calls Python: {shown(tag, 100)}")
    elif not tag.startswith(core):
        told.format = "yaml"
        told.unknown(f"a tag that its reader must know: {shown(tag, 100)}")
