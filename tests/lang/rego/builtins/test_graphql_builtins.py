"""Built-ins: graphql.*. Expected values are what OPA gives; the keys are for these tests alone."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

GIVEN = {
    "schema": "schema {query: Q} type Q {user(id: ID!, kind: Kind = A): User posts(first: Int!): [Post!]!} type User {name: String! posts: [Post]} type Post {title: String author: User} enum Kind {A B} input I {a: I}"
}

# call -> value
VALUES = [
    ('graphql.is_valid("{user(id: 1) {name}}", input.schema)', True),
    ('graphql.is_valid("{user {name}}", input.schema)', False),
    ('graphql.is_valid("{user(id: 1) {nope}}", input.schema)', False),
    ('graphql.is_valid("{user(id: 1)}", input.schema)', False),
    ('graphql.is_valid("query Q($id: ID!) {user(id: $id, kind: B) {name}}", input.schema)', True),
    ('graphql.is_valid("query Q($id: Int) {user(id: $id) {name}}", input.schema)', False),
    ('graphql.is_valid("{user(id: 1, kind: C) {name}}", input.schema)', False),
    ('graphql.is_valid("{user(id: 1) {...F}} fragment F on User {posts {title}}", input.schema)', True),
    ('graphql.is_valid("{user(id: 1) {...F}} fragment F on Post {title}", input.schema)', False),
    ('graphql.is_valid("{user(id: 1) {...F}}", input.schema)', False),
    ('graphql.is_valid("mutation {x}", input.schema)', False),
    ('graphql.is_valid("{posts(first: \\"1\\") {title}}", input.schema)', False),
    ('graphql.is_valid("{__schema {types {name}}}", input.schema)', True),
    ('graphql.is_valid("{a: user(id: 1) {name} a: user(id: 2) {name}}", input.schema)', False),
    ('graphql.is_valid("", input.schema)', True),
    (
        'graphql.parse("query Q($id: ID!) {user(id: $id, kind: B) {name}}", input.schema)[0]',
        {
            "Operations": [
                {
                    "Name": "Q",
                    "Operation": "query",
                    "SelectionSet": [
                        {
                            "Alias": "user",
                            "Arguments": [
                                {
                                    "Name": "id",
                                    "Value": {"ExpectedTypeHasDefault": False, "Kind": 0, "Raw": "id"},
                                },
                                {
                                    "Name": "kind",
                                    "Value": {"ExpectedTypeHasDefault": False, "Kind": 7, "Raw": "B"},
                                },
                            ],
                            "Name": "user",
                            "SelectionSet": [{"Alias": "name", "Name": "name"}],
                        }
                    ],
                    "VariableDefinitions": [
                        {"Type": {"NamedType": "ID", "NonNull": True}, "Used": False, "Variable": "id"}
                    ],
                }
            ]
        },
    ),
    ('graphql.parse_and_verify("{user {name}}", input.schema)', [False, {}, {}]),
    (
        'graphql.parse_query("{a(x: [1, $v, {k: \\"s\\"}]) @d {...F ... on T {b}}}")',
        {
            "Operations": [
                {
                    "Name": "",
                    "Operation": "query",
                    "SelectionSet": [
                        {
                            "Alias": "a",
                            "Arguments": [
                                {
                                    "Name": "x",
                                    "Value": {
                                        "Children": [
                                            {
                                                "Name": "",
                                                "Value": {
                                                    "ExpectedTypeHasDefault": False,
                                                    "Kind": 1,
                                                    "Raw": "1",
                                                },
                                            },
                                            {
                                                "Name": "",
                                                "Value": {
                                                    "ExpectedTypeHasDefault": False,
                                                    "Kind": 0,
                                                    "Raw": "v",
                                                },
                                            },
                                            {
                                                "Name": "",
                                                "Value": {
                                                    "Children": [
                                                        {
                                                            "Name": "k",
                                                            "Value": {
                                                                "ExpectedTypeHasDefault": False,
                                                                "Kind": 3,
                                                                "Raw": "s",
                                                            },
                                                        }
                                                    ],
                                                    "ExpectedTypeHasDefault": False,
                                                    "Kind": 9,
                                                    "Raw": "",
                                                },
                                            },
                                        ],
                                        "ExpectedTypeHasDefault": False,
                                        "Kind": 8,
                                        "Raw": "",
                                    },
                                }
                            ],
                            "Directives": [{"Location": "", "Name": "d"}],
                            "Name": "a",
                            "SelectionSet": [
                                {"Name": "F"},
                                {"SelectionSet": [{"Alias": "b", "Name": "b"}], "TypeCondition": "T"},
                            ],
                        }
                    ],
                }
            ]
        },
    ),
    (
        "graphql.parse_schema(input.schema)",
        {
            "Definitions": [
                {
                    "BuiltIn": False,
                    "Description": "",
                    "Fields": [
                        {
                            "Arguments": [
                                {
                                    "Description": "",
                                    "Name": "id",
                                    "Type": {"NamedType": "ID", "NonNull": True},
                                },
                                {
                                    "DefaultValue": {"ExpectedTypeHasDefault": False, "Kind": 7, "Raw": "A"},
                                    "Description": "",
                                    "Name": "kind",
                                    "Type": {"NamedType": "Kind", "NonNull": False},
                                },
                            ],
                            "Description": "",
                            "Name": "user",
                            "Type": {"NamedType": "User", "NonNull": False},
                        },
                        {
                            "Arguments": [
                                {
                                    "Description": "",
                                    "Name": "first",
                                    "Type": {"NamedType": "Int", "NonNull": True},
                                }
                            ],
                            "Description": "",
                            "Name": "posts",
                            "Type": {
                                "Elem": {"NamedType": "Post", "NonNull": True},
                                "NamedType": "",
                                "NonNull": True,
                            },
                        },
                    ],
                    "Kind": "OBJECT",
                    "Name": "Q",
                },
                {
                    "BuiltIn": False,
                    "Description": "",
                    "Fields": [
                        {"Description": "", "Name": "name", "Type": {"NamedType": "String", "NonNull": True}},
                        {
                            "Description": "",
                            "Name": "posts",
                            "Type": {
                                "Elem": {"NamedType": "Post", "NonNull": False},
                                "NamedType": "",
                                "NonNull": False,
                            },
                        },
                    ],
                    "Kind": "OBJECT",
                    "Name": "User",
                },
                {
                    "BuiltIn": False,
                    "Description": "",
                    "Fields": [
                        {
                            "Description": "",
                            "Name": "title",
                            "Type": {"NamedType": "String", "NonNull": False},
                        },
                        {
                            "Description": "",
                            "Name": "author",
                            "Type": {"NamedType": "User", "NonNull": False},
                        },
                    ],
                    "Kind": "OBJECT",
                    "Name": "Post",
                },
                {
                    "BuiltIn": False,
                    "Description": "",
                    "EnumValues": [{"Description": "", "Name": "A"}, {"Description": "", "Name": "B"}],
                    "Kind": "ENUM",
                    "Name": "Kind",
                },
                {
                    "BuiltIn": False,
                    "Description": "",
                    "Fields": [
                        {"Description": "", "Name": "a", "Type": {"NamedType": "I", "NonNull": False}}
                    ],
                    "Kind": "INPUT_OBJECT",
                    "Name": "I",
                },
            ],
            "Schema": [{"Description": "", "OperationTypes": [{"Operation": "query", "Type": "Q"}]}],
        },
    ),
    (
        'graphql.parse_schema("\\"doc\\" type T implements A & B @d {f(x: [Int!] = [1]): T!} union U = A | B directive @d repeatable on OBJECT | FIELD extend type T {g: Int}")',
        {
            "Definitions": [
                {
                    "BuiltIn": False,
                    "Description": "doc",
                    "Directives": [{"Location": "", "Name": "d"}],
                    "Fields": [
                        {
                            "Arguments": [
                                {
                                    "DefaultValue": {
                                        "Children": [
                                            {
                                                "Name": "",
                                                "Value": {
                                                    "ExpectedTypeHasDefault": False,
                                                    "Kind": 1,
                                                    "Raw": "1",
                                                },
                                            }
                                        ],
                                        "ExpectedTypeHasDefault": False,
                                        "Kind": 8,
                                        "Raw": "",
                                    },
                                    "Description": "",
                                    "Name": "x",
                                    "Type": {
                                        "Elem": {"NamedType": "Int", "NonNull": True},
                                        "NamedType": "",
                                        "NonNull": False,
                                    },
                                }
                            ],
                            "Description": "",
                            "Name": "f",
                            "Type": {"NamedType": "T", "NonNull": True},
                        }
                    ],
                    "Interfaces": ["A", "B"],
                    "Kind": "OBJECT",
                    "Name": "T",
                },
                {"BuiltIn": False, "Description": "", "Kind": "UNION", "Name": "U", "Types": ["A", "B"]},
            ],
            "Directives": [
                {"Description": "", "IsRepeatable": True, "Locations": ["OBJECT", "FIELD"], "Name": "d"}
            ],
            "Extensions": [
                {
                    "BuiltIn": False,
                    "Description": "",
                    "Fields": [
                        {"Description": "", "Name": "g", "Type": {"NamedType": "Int", "NonNull": False}}
                    ],
                    "Kind": "OBJECT",
                    "Name": "T",
                }
            ],
        },
    ),
    ('graphql.schema_is_valid("type T {a: Int}")', True),
    ('graphql.schema_is_valid("type T {a: Nope}")', False),
    ('graphql.schema_is_valid("type T {}")', False),
    ('graphql.schema_is_valid("type T {a: Int a: Int}")', False),
    ('graphql.schema_is_valid("enum E {A A}")', False),
    ('graphql.schema_is_valid("input I {a: I!}")', False),
    ('graphql.schema_is_valid("input I {a: [I!]!}")', True),
    ('graphql.schema_is_valid("interface A {a: Int} type B implements A {b: Int}")', False),
    ('graphql.schema_is_valid("type T @nope {a: Int}")', False),
    ('graphql.schema_is_valid("extend type T {a: Int}")', True),
    ('graphql.schema_is_valid("scalar Int")', False),
    ('graphql.schema_is_valid("union U = Nope")', False),
    ('graphql.schema_is_valid("type __T {a: Int}")', False),
    ('graphql.schema_is_valid("directive @a(x: Int @a) on FIELD")', False),
    ('graphql.schema_is_valid("schema {query: Nope}")', False),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ('graphql.parse_query("{")', "eval_builtin_error"),
    ('graphql.parse_query("type T {a: Int}")', "eval_builtin_error"),
    ('graphql.parse_schema("{a}")', "eval_builtin_error"),
    ('graphql.parse_query("{a(x: $)}")', "eval_builtin_error"),
    ('graphql.parse("{user {name}}", input.schema)', "eval_builtin_error"),
    ('graphql.parse("{", input.schema)', "eval_builtin_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_graphql_values(answer, exact, call, expected):
    assert exact(answer(call, given=GIVEN)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_graphql_errors(answer, call, code):
    assert answer(call, given=GIVEN) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, given=GIVEN, strict=True)
    assert caught.value.code == code
