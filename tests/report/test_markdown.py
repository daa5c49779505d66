from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from solon.report.markdown import LIMIT, render
from solon.report.text import printable

OURS = {
    "h2",
    "p",
    "ul",
    "li",
    "strong",
    "em",
    "code",
    "b",
    "i",
    "br",
    "details",
    "summary",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


class Page(HTMLParser):
    """The tags of a page and its text, as a browser has them."""

    def __init__(self, markdown):
        super().__init__()
        self.tags, self.text = set(), ""
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))
        self.close()

    def handle_starttag(self, tag, _attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def test_others_text_stays_text(nasty_report):
    page = Page(render(nasty_report))
    assert page.tags <= OURS
    text = page.text.replace("\u200b", "")
    for decision in nasty_report.decisions:
        assert printable(decision.subject.name) in text


def test_nobody_is_called(nasty_report):
    assert "@everyone" not in Page(render(nasty_report)).text
    assert "#1 " not in Page(render(nasty_report)).text


@pytest.mark.parametrize(
    "message", ["- a list", "1. a number", "# a heading", "+ plus", "=== line", "    code", "> quote"]
)
def test_a_message_begins_no_block(build, message):
    policy, subject = build.policy("p"), build.subject()
    page = Page(render(build.report(build.decision(subject, build.finding(policy, subject, message)))))
    assert not page.tags & {"h1", "ol", "pre", "blockquote"}
    assert " ".join(message.split()) in " ".join(page.text.split())


@pytest.mark.parametrize("limit", [LIMIT, 4000])
def test_it_never_gets_too_long_and_says_what_is_left_out(many_report, limit):
    text = render(many_report, limit)
    assert len(text) <= limit
    told = text.count("</details>")
    left = 3000 - told
    assert told > 0
    assert f"**{left:,} more subjects with {left:,} findings** would make this comment too long" in text


def test_a_message_of_any_length_fits(build):
    policy, subject = build.policy("p"), build.subject("n" * 100_000, "f" * 100_000)
    found = [build.finding(policy, subject, "*" * 100_000) for _ in range(10)]
    report = build.report(*(build.decision(subject, *found) for _ in range(30)), unreadable=[])
    assert len(render(report)) <= LIMIT


def test_the_gravest_come_first(sample_report):
    text = render(sample_report)
    words = [
        line.split("|")[1].split()[-1]
        for line in text.splitlines()
        if line.startswith("| ") and "code" in line
    ]
    assert words == ["denied", "error", "warned", "allowed"]
