"""CODEOWNERS: the patterns of GitHub and GitLab, held against their documentation and against .gitignore."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.governance.codeowners import PLACES, parse

# What GitHub's documentation says of its own example.
GITHUB = r"""
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
/build/logs/ @doctocat
docs/* docs-dir@example.com
apps/ @octocat
/scripts/ @doctocat @octo-org/octocats
**/logs @octocat-logs
/apps/github
/with\ space/ @spaced
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("README.md", ["@global-owner1", "@global-owner2"]),
        ("a/b/c.txt", ["@global-owner1", "@global-owner2"]),
        ("src/x.js", ["@js-owner"]),
        ("main.go", ["docs@example.com"]),
        ("build/logs/today", ["@octocat-logs"]),
        ("other/build/logs2", ["@global-owner1", "@global-owner2"]),
        ("docs/getting-started.md", ["docs-dir@example.com"]),
        ("docs/build-app/troubleshooting.md", ["@global-owner1", "@global-owner2"]),
        ("other/docs/x.md", ["@global-owner1", "@global-owner2"]),
        ("deep/apps/x/y", ["@octocat"]),
        ("apps", ["@global-owner1", "@global-owner2"]),
        ("scripts/a/b.sh", ["@doctocat", "@octo-org/octocats"]),
        ("x/scripts/b.sh", ["@global-owner1", "@global-owner2"]),
        ("deeply/nested/logs", ["@octocat-logs"]),
        ("apps/github", []),
        ("apps/github/x", []),
        ("./apps/x", ["@octocat"]),
        ("with space/x", ["@spaced"]),
    ],
)
def test_github_documentation(path: str, owners: list[str]) -> None:
    assert list(parse(GITHUB).owners(path)) == owners


GITLAB = r"""
* @admin
/docs/ @writers
README.md @readme
internal/notes.md @notes
\#file.rb @hash
/lib/[ab]*.rb @ranged

[Security] @sec
*.pem
/policy/ @policy-team @@maintainer
!*.md

^[Optional][2] @opt
/docs/
[SECURITY]
*.key @keys
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("x", ["@admin"]),
        ("docs/a/b", ["@writers", "@opt"]),
        ("a/README.md", ["@readme"]),
        ("x/internal/notes.md", ["@notes"]),
        ("#file.rb", ["@hash"]),
        ("lib/apple.rb", ["@ranged"]),
        ("lib/cherry.rb", ["@admin"]),
        ("a/cert.pem", ["@admin", "@sec"]),
        ("policy/x.rego", ["@admin", "@policy-team", "@@maintainer"]),
        ("policy/x.md", ["@admin"]),
        ("my.key", ["@admin", "@keys"]),
    ],
)
def test_gitlab_sections(path: str, owners: list[str]) -> None:
    assert list(parse(GITLAB).owners(path)) == owners


def test_gitlab_is_told_by_its_place_or_a_section() -> None:
    assert parse("a/b @x", ".gitlab/CODEOWNERS").owners("z/a/b") == ("@x",)
    assert parse("a/b @x", "CODEOWNERS").owners("z/a/b") == ()
    assert [parse(text).dialect for text in ("[One]\na @x", "app/[id]/page @x")] == ["gitlab", "github"]
    assert parse("app/[id]/page @x").owners("app/[id]/page") == ("@x",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a @x\n*.js nobody", "CODEOWNERS:2:1: not an owner: nobody"),
        ("!a @x", "CODEOWNERS:1:1: GitHub has no patterns that begin with !"),
        ("\n/ @x", "CODEOWNERS:2:1: not a pattern: /"),
        ("a***b @x", "CODEOWNERS:1:1: not a pattern: a***b"),
        ("[S]\n/a[b @x", "CODEOWNERS:2:1: not a pattern: /a[b"),
        ("[S]\n/a[z-a] @x", "CODEOWNERS:2:1: not a pattern: /a[z-a]"),
        ("[S] nobody\n", "CODEOWNERS:1:1: not an owner: nobody"),
    ],
)
def test_a_bad_line_is_named_and_counts_for_nothing(text: str, problem: str) -> None:
    read = parse(text)
    assert [str(each).partition(" (")[0] for each in read.problems] == [problem]
    assert read.owners("x.js") == ()


def test_a_bad_line_leaves_the_others() -> None:
    assert parse("* @a\n*.js nobody").owners("x.js") == ("@a",)


def test_where_it_is_looked_for() -> None:
    assert PLACES == (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")


def test_thousands_of_lines_and_paths() -> None:
    lines = [f"/teams/team-{n}/ @team-{n}" for n in range(5_000)]
    lines += [f"*.kind{n} @kind-{n}" for n in range(5_000)]
    read = parse("\n".join(lines))
    for n in range(5_000):
        assert read.owners(f"teams/team-{n}/a/b/c.rego") == (f"@team-{n}",)
        assert read.owners(f"teams/team-{n}/x.kind{n}") == (f"@kind-{n}",)


def test_stars_cost_no_more_than_their_number() -> None:
    assert parse(f"{'*a' * 40}b @x").owners("a" * 200) == ()


SEGMENTS = st.text("ab.", min_size=1, max_size=3).filter(lambda s: s.strip("."))
WILD = st.one_of(SEGMENTS, st.text("ab*?", min_size=1, max_size=3).filter(lambda s: "**" not in s))
PATTERNS = st.builds(
    lambda lead, segments, tail: lead + "/".join(segments) + tail,
    st.sampled_from(["", "/"]),
    st.lists(st.one_of(WILD, WILD, st.just("**")), min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
)
PATHS = st.builds("/".join, st.lists(SEGMENTS, min_size=1, max_size=4))


@settings(max_examples=60, deadline=None)
@given(pattern=PATTERNS, paths=st.lists(PATHS, min_size=1, max_size=20, unique=True))
def test_github_patterns_mean_what_gitignore_means(
    pattern: str, paths: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    if pattern.rstrip("/").endswith("*") and "/" in pattern:
        return  # the documented difference: docs/* does not mean what is below a folder of docs
    place = tmp_path_factory.getbasetemp() / "gitignore"
    if not place.exists():
        subprocess.run(["git", "init", "-q", place], check=True)
    (place / ".git" / "info" / "exclude").write_text(pattern + "\n")
    asked = subprocess.run(
        ["git", "-C", place, "check-ignore", "--no-index", "-z", "--stdin"],
        input="\0".join(paths), capture_output=True, text=True, check=False,
    )  # fmt: skip
    ignored = {path for path in asked.stdout.split("\0") if path}
    read = parse(f"{pattern} @owner")
    assert {path for path in paths if read.owners(path)} == ignored


@settings(max_examples=100)
@given(patterns=st.lists(PATTERNS, max_size=6), path=PATHS, gitlab=st.booleans())
def test_the_last_line_that_matches_counts(patterns: list[str], path: str, gitlab: bool) -> None:
    file = ".gitlab/CODEOWNERS" if gitlab else "CODEOWNERS"
    text = "\n".join(f"{pattern} @line-{n}" for n, pattern in enumerate(patterns))
    alone = [
        (f"@line-{n}",) for n, pattern in enumerate(patterns) if parse(f"{pattern} @x", file).owners(path)
    ]
    assert parse(text, file).owners(path) == (alone[-1] if alone else ())


@settings(max_examples=150)
@given(text=st.text(), path=st.text())
def test_any_text_is_read(text: str, path: str) -> None:
    for file in PLACES:
        parse(text, file).owners(path)


@settings(max_examples=150)
@given(text=st.text("ab*?[]!\\/# @\n^-", max_size=60), path=st.text("ab/[]", max_size=12))
def test_any_pattern_is_read(text: str, path: str) -> None:
    for file in PLACES:
        parse(text, file).owners(path)
