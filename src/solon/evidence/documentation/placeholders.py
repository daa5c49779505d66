"""Whether a text says something, or stands where a text is still to come.

What a template left is taken out: marks such as ``[More Information Needed]``, lines such as ``TODO``, questions and requests to
the author. What remains must be more than a title or a word, where a sentence is wanted. A real sentence remains,
whatever words it has: ``The TODO list of the clerk is not read by the model.``
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MOST_SHOWN: Final = 80
_FEWEST_WORDS: Final = 3  # of a sentence

# Marks of templates, wherever they stand. A link, `[add a card](…)`, is none.
_MARK: Final = re.compile(
    r"\[\s*(?:(?:more|additional|further)\s+(?:information|info|details?)\s+needed|information\s+needed|needs\s+more\s+information"
    r"|todo|tbd|tba|tbc|fixme|placeholder|\.{3}|…"
    r"|(?:to\s+be|insert|add|fill(?:\s+in)?|your|enter|describe|replace|specify|name\s+of|date\s+of)\b[^\[\]\n]{0,200})\s*\](?!\()"
    r"|<\s*(?:todo|tbd|tba|tbc|fixme|placeholder|\.{3}|…"
    r"|(?:insert|your|add|enter|fill|describe|replace|specify|name\s+of|date\s+of)\b[^<>\n]{0,200})\s*>"
    r"|\{\{[^{}]{0,300}\}\}|\{%[^%]{0,300}%\}|\$\{[^{}\n]{0,100}\}|_{4,}",
    re.IGNORECASE,
)
_FILLER: Final = (
    "todo tbd tba tbc fixme wip xxx xx na none null nil foo bar baz test asdf qwerty blah placeholder text"
)
# Whole texts, lines and cells that say nothing; as `bare` writes them.
_NOTHING: Final = frozenset(
    (
        "not applicable",
        "not available",
        "not provided",
        "not specified",
        "not yet",
        "not known",
        "none yet",
        "nothing",
        "nothing yet",
        "unknown",
        "pending",
        "empty",
        "optional",
        "coming soon",
        "work in progress",
        "in progress",
        "see above",
        "see below",
        "same as above",
        "as above",
        "fill in",
        "fill me in",
        "fill this in",
        "your text here",
        "your text",
        "insert text",
        "insert text here",
        "text here",
        "add text here",
        "more information needed",
        "more info needed",
        "information needed",
        "needs more information",
        "more information to come",
        "hello world",
        "none at this time",
        "nothing to add",
    )
)
# How sentences begin that templates of Hugging Face bring along, as `bare` writes them.
_BOILERPLATE: Final = (
    "users both direct and downstream should be made aware of the risks biases and",
    "users should be made aware of the risks biases and",
    "more information needed for further recommendations",
    "use the code below to get started with the model",
    "carbon emissions can be estimated using the machine learning impact calculator",
)
_LATER: Final = re.compile(
    r"(?:(?:this|section|part|field|content|text|details?|more|information|description|documentation|here) )*"
    r"(?:(?:is|are|has|have|will|still|to|be|yet) )+"
    r"(?:added|announced|completed|confirmed|decided|defined|described|determined|documented|done|filled|filled in"
    r"|follow|provided|specified|supplied|updated|written)(?: (?:later|soon|shortly|in due course))?"
)
_TODO: Final = re.compile(
    r"(?i:todo|tbd|tba|tbc|fixme|xxx)\b(?:\s*\([^()\n]{0,40}\))?\s*(?:[:\u2013\u2014-]|[.!…]*$)"
    r"|(?:TODO|TBD|FIXME|XXX)\b(?=\s+(?:add|ask|check|complete|describe|document|explain|fill|insert|measure|update|write)\b)"
)
_REQUEST: Final = re.compile(
    r"(?:if (?:so|not|yes|no|applicable|any)\b[^.?!]{0,80},? ?)?please (?:also )?"
    r"(?:add|complete|describe|discuss|elaborate|enter|explain|fill|include|indicate|insert|list|mention|note|provide|specify|state)\b",
    re.IGNORECASE,
)
_LOREM: Final = re.compile(r"\blorem\s+ipsum\b", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"(?<=[.?!])[\"')\]*_]*\s+")
_PREFIX: Final = re.compile(r"(?:\s*(?:>|[-*+]\s|\d{1,9}[.)]\s|\[[ xX]\]|#+\s))+")
_STARTS: Final = re.compile(r"\s*(?:[-*+]\s|\d{1,9}[.)]\s|\||>|#|\*\*|__)")  # a paragraph of its own
_LINK: Final = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,500}(?:\s[^()]{0,200})?\)")
_TAG: Final = re.compile(r"</?[A-Za-z][^<>\n]{0,300}>")
_CJK: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD: Final = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+(?:['\u2019.-][^\W_{_CJK}]+)*")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_LONG_WORD: Final = 25  # in scripts without spaces a sentence is one


@dataclass(frozen=True, slots=True)
class Judgement:
    """``words`` that say something; where they are too few ``placeholder`` shows what stands there."""

    says_something: bool
    words: int
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A placeholder, and on which line of its text it stands (from 0)."""

    line: int
    text: str


def judged(text: str, titles: Sequence[str] = (), *, sentence: bool = True) -> Judgement:
    """``titles`` are the names that the text stands under: to repeat them says nothing. ``sentence`` wants three words."""
    rest = remainder(text)
    words = _WORD.findall(rest)
    plain = bare(rest)
    if (
        not words
        or all(word.lower() in _FILLER.split() for word in words)
        or plain in _NOTHING
        or _LATER.fullmatch(plain)
        or _gist(rest) in {_gist(title) for title in titles}
        or (sentence and len(words) < _FEWEST_WORDS and max(map(len, words)) < _LONG_WORD)
    ):
        return Judgement(False, 0, _shown(text))
    return Judgement(True, len(words))


def remainder(text: str) -> str:
    """What is no placeholder, a paragraph a line."""
    kept, _ = _taken_apart(text)
    return "\n".join(line for line in kept if line)


def marks(text: str) -> list[Mark]:
    """The placeholders of a text."""
    return _taken_apart(text)[1]


def _taken_apart(text: str) -> tuple[list[str], list[Mark]]:
    """What each paragraph and item says, and the placeholders."""
    text = _visible(text)
    found = [Mark(text.count("\n", 0, at.start()), _shown(at.group())) for at in _MARK.finditer(text)]
    text = _MARK.sub(lambda at: "\n" * at.group().count("\n"), text)
    kept: list[str] = []
    for number, lines in _paragraphs(text):
        says, left = _line(" ".join(lines))
        kept.append(says)
        found += [Mark(number + _line_of(each, lines), _shown(each)) for each in left]
    found.sort(key=lambda mark: mark.line)
    return kept, found


def _paragraphs(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines that belong together, with the number of the first: sentences go on from one to the next."""
    start, lines = 0, list[str]()
    for number, line in enumerate(text.split("\n")):
        if lines and (not line.strip() or _STARTS.match(line) or lines[-1].lstrip().startswith("|")):
            yield start, lines
            lines = []
        if line.strip():
            start = start if lines else number
            lines.append(line.strip())
    if lines:
        yield start, lines


def _line_of(part: str, lines: Sequence[str]) -> int:
    """In which of the lines a part of them begins."""
    place = " ".join(lines).find(part)
    number = 0
    while number < len(lines) - 1 and place > len(lines[number]):
        place -= len(lines[number]) + 1
        number += 1
    return number


def _line(line: str) -> tuple[str, list[str]]:
    """What of a paragraph says something, and the placeholders in it."""
    line = _TAG.sub(" ", _LINK.sub(r"\1", line))
    prefix = _PREFIX.match(line)
    line = line[prefix.end() :] if prefix else line
    if line.lstrip().startswith("|"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        return " ".join(cell for cell in cells if not _is_nothing(cell)), []
    label, colon, value = line.partition(":")
    if colon and len(_WORD.findall(label)) <= 6 and _is_nothing(value):
        return "", [line] if bare(value) else []
    says: list[str] = []
    left: list[str] = []
    for sentence in _SENTENCE.split(line.strip()):
        inner = sentence.strip("*_`\"'( ")
        if _TODO.match(inner) or _LOREM.search(inner) or (bare(inner) and _is_nothing(inner)):
            left.append(sentence)
        elif bare(inner) and not inner.rstrip(")\"'*_ ").endswith("?") and not _REQUEST.match(inner):
            says.append(sentence)
    return " ".join(says), left


def _is_nothing(text: str) -> bool:
    plain = bare(text)
    return (
        not plain
        or plain in _NOTHING
        or plain.replace(" ", "") in _FILLER.split()
        or _LATER.fullmatch(plain) is not None
        or plain.startswith(_BOILERPLATE)
    )


def bare(text: str) -> str:
    """In small letters, without marks: ``N/A.`` is ``n a``."""
    return " ".join(_WORD.findall(text.lower().replace(".", " ")))


def _gist(text: str) -> str:
    """The words that carry meaning, without their plural: `The intended use` and `intended uses` are the same."""
    words = [
        word
        for word in bare(text).split()
        if word not in ("the", "a", "an", "of", "our", "this", "s", "model")
    ]
    return " ".join(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words)


def _visible(text: str) -> str:
    """Without what nobody sees: a space of no width would hide a word."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(char for char in text if char.isascii() or unicodedata.category(char) != "Cf")
    return _CONTROL.sub(" ", text)


def _shown(text: str) -> str:
    line = " ".join(_visible(text).split())
    return line if len(line) <= MOST_SHOWN else line[: MOST_SHOWN - 1] + "…"
