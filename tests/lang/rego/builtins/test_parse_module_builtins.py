"""Built-ins: rego.parse_module. Expected values are what OPA gives; the keys are for these tests alone."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

GIVEN = {
    "m": {
        "rule": "package a.b\n\nimport data.x as y\n\n# note\nallow if {\n\tinput.n > 1\n\tnot y.z with input as {}\n}",
        "heads": "package a\n\np contains x if some x in [1]\nq[k] := v if some k, v in input\nf(a, _) := {a: 1}\ndefault r := [null, true]\nr := 1 if { false } else := 2",
        "terms": 'package a\n\np := {x | x := [1, "s"][_]; every k, v in {} { k != v }}\nq := $"a{p}b"',
    }
}

# call -> value
VALUES = [
    (
        'rego.parse_module("x.rego", input.m.rule)',
        {
            "comments": [{"Location": {"col": 1, "file": "x.rego", "row": 5}, "Text": "IG5vdGU="}],
            "imports": [
                {
                    "alias": "y",
                    "path": {
                        "type": "ref",
                        "value": [{"type": "var", "value": "data"}, {"type": "string", "value": "x"}],
                    },
                }
            ],
            "package": {
                "path": [
                    {"type": "var", "value": "data"},
                    {"type": "string", "value": "a"},
                    {"type": "string", "value": "b"},
                ]
            },
            "rules": [
                {
                    "body": [
                        {
                            "index": 0,
                            "terms": [
                                {"type": "ref", "value": [{"type": "var", "value": "gt"}]},
                                {
                                    "type": "ref",
                                    "value": [
                                        {"type": "var", "value": "input"},
                                        {"type": "string", "value": "n"},
                                    ],
                                },
                                {"type": "number", "value": 1},
                            ],
                        },
                        {
                            "index": 1,
                            "negated": True,
                            "terms": {
                                "type": "ref",
                                "value": [{"type": "var", "value": "y"}, {"type": "string", "value": "z"}],
                            },
                            "with": [
                                {
                                    "target": {"type": "ref", "value": [{"type": "var", "value": "input"}]},
                                    "value": {"type": "object", "value": []},
                                }
                            ],
                        },
                    ],
                    "head": {
                        "name": "allow",
                        "ref": [{"type": "var", "value": "allow"}],
                        "value": {"type": "boolean", "value": True},
                    },
                }
            ],
        },
    ),
    (
        'rego.parse_module("x.rego", input.m.heads)',
        {
            "package": {"path": [{"type": "var", "value": "data"}, {"type": "string", "value": "a"}]},
            "rules": [
                {
                    "body": [
                        {
                            "index": 0,
                            "terms": {
                                "symbols": [
                                    {
                                        "type": "call",
                                        "value": [
                                            {
                                                "type": "ref",
                                                "value": [
                                                    {"type": "var", "value": "internal"},
                                                    {"type": "string", "value": "member_2"},
                                                ],
                                            },
                                            {"type": "var", "value": "x"},
                                            {"type": "array", "value": [{"type": "number", "value": 1}]},
                                        ],
                                    }
                                ]
                            },
                        }
                    ],
                    "head": {
                        "key": {"type": "var", "value": "x"},
                        "name": "p",
                        "ref": [{"type": "var", "value": "p"}],
                    },
                },
                {
                    "body": [
                        {
                            "index": 0,
                            "terms": {
                                "symbols": [
                                    {
                                        "type": "call",
                                        "value": [
                                            {
                                                "type": "ref",
                                                "value": [
                                                    {"type": "var", "value": "internal"},
                                                    {"type": "string", "value": "member_3"},
                                                ],
                                            },
                                            {"type": "var", "value": "k"},
                                            {"type": "var", "value": "v"},
                                            {"type": "ref", "value": [{"type": "var", "value": "input"}]},
                                        ],
                                    }
                                ]
                            },
                        }
                    ],
                    "head": {
                        "assign": True,
                        "key": {"type": "var", "value": "k"},
                        "name": "q",
                        "ref": [{"type": "var", "value": "q"}, {"type": "var", "value": "k"}],
                        "value": {"type": "var", "value": "v"},
                    },
                },
                {
                    "body": [{"generated": True, "index": 0, "terms": {"type": "boolean", "value": True}}],
                    "head": {
                        "args": [{"type": "var", "value": "a"}, {"type": "var", "value": "$0"}],
                        "assign": True,
                        "name": "f",
                        "ref": [{"type": "var", "value": "f"}],
                        "value": {
                            "type": "object",
                            "value": [[{"type": "var", "value": "a"}, {"type": "number", "value": 1}]],
                        },
                    },
                },
                {
                    "body": [{"generated": True, "index": 0, "terms": {"type": "boolean", "value": True}}],
                    "default": True,
                    "head": {
                        "assign": True,
                        "name": "r",
                        "ref": [{"type": "var", "value": "r"}],
                        "value": {
                            "type": "array",
                            "value": [{"type": "null", "value": {}}, {"type": "boolean", "value": True}],
                        },
                    },
                },
                {
                    "body": [{"index": 0, "terms": {"type": "boolean", "value": False}}],
                    "else": {
                        "body": [
                            {"generated": True, "index": 0, "terms": {"type": "boolean", "value": True}}
                        ],
                        "head": {
                            "assign": True,
                            "name": "r",
                            "ref": [{"type": "var", "value": "r"}],
                            "value": {"type": "number", "value": 2},
                        },
                    },
                    "head": {
                        "assign": True,
                        "name": "r",
                        "ref": [{"type": "var", "value": "r"}],
                        "value": {"type": "number", "value": 1},
                    },
                },
            ],
        },
    ),
    (
        'rego.parse_module("x.rego", input.m.terms)',
        {
            "package": {"path": [{"type": "var", "value": "data"}, {"type": "string", "value": "a"}]},
            "rules": [
                {
                    "body": [{"generated": True, "index": 0, "terms": {"type": "boolean", "value": True}}],
                    "head": {
                        "assign": True,
                        "name": "p",
                        "ref": [{"type": "var", "value": "p"}],
                        "value": {
                            "type": "setcomprehension",
                            "value": {
                                "body": [
                                    {
                                        "index": 0,
                                        "terms": [
                                            {"type": "ref", "value": [{"type": "var", "value": "assign"}]},
                                            {"type": "var", "value": "x"},
                                            {
                                                "type": "ref",
                                                "value": [
                                                    {
                                                        "type": "array",
                                                        "value": [
                                                            {"type": "number", "value": 1},
                                                            {"type": "string", "value": "s"},
                                                        ],
                                                    },
                                                    {"type": "var", "value": "$0"},
                                                ],
                                            },
                                        ],
                                    },
                                    {
                                        "index": 1,
                                        "terms": {
                                            "body": [
                                                {
                                                    "index": 0,
                                                    "terms": [
                                                        {
                                                            "type": "ref",
                                                            "value": [{"type": "var", "value": "neq"}],
                                                        },
                                                        {"type": "var", "value": "k"},
                                                        {"type": "var", "value": "v"},
                                                    ],
                                                }
                                            ],
                                            "domain": {"type": "object", "value": []},
                                            "key": {"type": "var", "value": "k"},
                                            "value": {"type": "var", "value": "v"},
                                        },
                                    },
                                ],
                                "term": {"type": "var", "value": "x"},
                            },
                        },
                    },
                },
                {
                    "body": [{"generated": True, "index": 0, "terms": {"type": "boolean", "value": True}}],
                    "head": {
                        "assign": True,
                        "name": "q",
                        "ref": [{"type": "var", "value": "q"}],
                        "value": {
                            "type": "templatestring",
                            "value": {
                                "multi_line": False,
                                "parts": [
                                    {"type": "string", "value": "a"},
                                    {"index": 0, "terms": {"type": "var", "value": "p"}},
                                    {"type": "string", "value": "b"},
                                ],
                            },
                        },
                    },
                },
            ],
        },
    ),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ('rego.parse_module("x.rego", "package")', "eval_builtin_error"),
    ('rego.parse_module("x.rego", "")', "eval_builtin_error"),
    ('rego.parse_module("x.rego", "package a\\np if {")', "eval_builtin_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_parse_module_values(answer, exact, call, expected):
    assert exact(answer(call, given=GIVEN)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_parse_module_errors(answer, call, code):
    assert answer(call, given=GIVEN) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, given=GIVEN, strict=True)
    assert caught.value.code == code
