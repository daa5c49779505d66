"""Built-ins: object.*, array.*, json.patch/filter/remove, graph, walk. Expected values are what OPA gives."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

# call -> value
VALUES = [
    ('json.filter({"a": 1}, ["a/b"])', {"a": 1}),
    ('json.filter({"a": {"c": "x"}, "d": 1}, ["a/c/d/e"])', {"a": {"c": "x"}}),
    ('object.get({"a":{"b":1}},["a","b"],0)', 1),
    ('object.get({"a":1},["a","b"],0)', 0),
    ('object.get({"a":1},[],0)', {"a": 1}),
    ("object.get({1:2},1,0)", 2),
    ('object.get({"a":null},"a",0)', None),
    ("object.keys({})", []),
    ('object.keys({"a":1,2:3})', [2, "a"]),
    ('object.remove({"a":1,"b":2},["b"])', {"a": 1}),
    ('object.remove({"a":1},{"z"})', {"a": 1}),
    ('object.remove({"a":1},{"a":2})', {}),
    ('object.filter({"a":1,"b":2},{"a"})', {"a": 1}),
    ('object.union({"a":{"b":1}},{"a":{"c":2}})', {"a": {"b": 1, "c": 2}}),
    ('object.union({"a":1},{"a":{"c":2}})', {"a": {"c": 2}}),
    ('object.union_n([{"a":1},{"b":{"c":2}},{"b":3}])', {"a": 1, "b": 3}),
    ("object.union_n([])", {}),
    ('object.subset({"a":{"b":1,"c":2}},{"a":{"b":1}})', True),
    ("object.subset([1,2,3],[2,3])", True),
    ("object.subset([1,2,3],[1,3])", False),
    ("object.subset({1,2},{2})", True),
    ("object.subset([1,2],{2})", True),
    ("array.concat([1],[])", [1]),
    ("array.reverse([1,[2],3])", [3, [2], 1]),
    ("array.slice([1,2,3],1,9)", [2, 3]),
    ("array.slice([1,2,3],-1,2)", [1, 2]),
    ("array.slice([1,2,3],2,1)", []),
    ("array.flatten([1,[2,[3]],{4}])", [1, 2, [3], [4]]),
    ('json.patch({"a":1},[{"op":"add","path":"/b","value":2}])', {"a": 1, "b": 2}),
    ('json.patch({"a":[1,2]},[{"op":"add","path":"a/-","value":3}])', {"a": [1, 2, 3]}),
    ('json.patch({"a":[1,2]},[{"op":"add","path":"/a/0","value":0}])', {"a": [0, 1, 2]}),
    ('json.patch({"a/b":1},[{"op":"replace","path":"/a~1b","value":2}])', {"a/b": 2}),
    ('json.patch({"a":1},[{"op":"move","from":"/a","path":"/b"}])', {"b": 1}),
    ('json.patch({"a":1},[{"op":"copy","from":"/a","path":"/b"}])', {"a": 1, "b": 1}),
    ('json.patch({"a":1},[{"op":"add","path":["x y"],"value":1}])', {"a": 1, "x y": 1}),
    ('json.filter({"a":{"b":1,"c":2},"d":3},["a/b"])', {"a": {"b": 1}}),
    ('json.filter({"a":[1,{"b":2,"c":3}]},["a/1/b"])', {"a": [{"b": 2}]}),
    ('json.filter({"a":1},["z"])', {}),
    ('json.filter({"a":1},[])', {}),
    ('json.remove({"a":{"b":1,"c":2}},["a/b"])', {"a": {"c": 2}}),
    ('json.remove({"a":[1,2,3]},["a/1"])', {"a": [1, 3]}),
    ('json.remove({"a":1},["a/b"])', {"a": 1}),
    ('json.remove({"a/b":1,"c":2},["a~1b"])', {"c": 2}),
    ('graph.reachable({"a":["b"],"b":["a","c"],"c":[]},["a"])', ["a", "b", "c"]),
    ('graph.reachable({"a":{"b"}},{"z"})', []),
    (
        'graph.reachable_paths({"a":["b","c"],"b":["d"],"c":["d"],"d":[]},["a"])',
        [["a", "b", "d"], ["a", "c", "d"]],
    ),
    ('graph.reachable_paths({"a":["b"],"b":["a"]},["a"])', [["a", "b"]]),
    ('[x | walk({"a":[1]},x)]', [[[], {"a": [1]}], [["a"], [1]], [["a", 0], 1]]),
    ('[p | walk({1,"a"},[p,_])]', [[], [1], ["a"]]),
    ("[x | walk(1,x)]", [[[], 1]]),
    ('object.get(input.obj,"a",input.n)', 1),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ('json.patch({"a":1},[{"op":"add","path":"/x/y","value":1}])', "eval_builtin_error"),
    ('json.patch([1],[{"op":"add","path":"/2","value":1}])', "eval_builtin_error"),
    ('json.patch([1],[{"op":"replace","path":"/-","value":1}])', "eval_builtin_error"),
    ('json.patch([1],[{"op":"add","path":"/00","value":1}])', "eval_builtin_error"),
    ('json.patch({"a":1},[{"op":"remove","path":"/b"}])', "eval_builtin_error"),
    ('json.patch({"a":1},[{"op":"test","path":"/a","value":2}])', "eval_builtin_error"),
    ('json.patch({"a":1},[{"op":"copy","from":"/b","path":"/c"}])', "eval_builtin_error"),
    ('json.patch({1},[{"op":"add","path":[2],"value":3}])', "eval_builtin_error"),
    ('json.patch({1},[{"op":"replace","path":[1],"value":9}])', "eval_builtin_error"),
    ('json.patch({"a":1},[{"op":"add","path":1,"value":1}])', "eval_type_error"),
    ('json.patch({"a":1},[{"op":"nope","path":"/a"}])', "eval_builtin_error"),
    ('json.patch({"a":1},[{"op":"add","path":"/b"}])', "eval_builtin_error"),
    ("object.keys(input.n)", "eval_type_error"),
    ("array.concat(input.list,input.n)", "eval_type_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_collections_values(answer, exact, call, expected):
    assert exact(answer(call)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_collections_errors(answer, call, code):
    assert answer(call) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, strict=True)
    assert caught.value.code == code
