"""Built-ins: net.*, uri.*, uuid.parse, semver.*, units.*. Expected values are what OPA gives."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

# call -> value
VALUES = [
    ('net.cidr_contains("10.0.0.0/8","10.1.2.3")', True),
    ('net.cidr_contains("10.0.0.0/8","10.0.0.0/7")', False),
    ('net.cidr_contains("10.0.0.0/8","::ffff:10.0.0.1")', True),
    ('net.cidr_contains("::/0","::ffff:10.0.0.1")', False),
    ('net.cidr_contains("::ffff:10.0.0.0/104","10.0.0.1")', True),
    ('semver.is_valid("v1.2.3")', True),
    ('semver.compare("v1.2.3", "1.2.3")', 0),
    ('semver.is_valid("vv1.2.3")', False),
    ('semver.is_valid("9223372036854775807.1.1")', True),
    ('semver.is_valid("9223372036854775808.1.1")', False),
    ('semver.is_valid("99999999999999999999.1.1")', False),
    ('net.cidr_contains("2001:db8::/32","2001:db8::1")', True),
    ('net.cidr_intersects("10.0.0.0/8","10.1.0.0/16")', True),
    ('net.cidr_intersects("10.0.0.0/8","11.0.0.0/8")', False),
    ('net.cidr_expand("192.168.0.1/30")', ["192.168.0.0", "192.168.0.1", "192.168.0.2", "192.168.0.3"]),
    ('net.cidr_expand("::1/127")', ["::", "::1"]),
    ('net.cidr_is_valid("10.0.0.1/24")', True),
    ('net.cidr_is_valid("10.0.0.1")', False),
    ("net.cidr_is_valid(input.n)", False),
    ('net.cidr_merge(["10.0.0.0/24","10.0.1.0/24"])', ["10.0.0.0/23"]),
    ('net.cidr_merge({"10.0.0.0/25","10.0.0.128/25","10.0.1.0/24"})', ["10.0.0.0/23"]),
    ('net.cidr_merge(["192.0.2.112/32","192.0.2.113/32"])', ["192.0.2.112/31"]),
    ("net.cidr_merge([])", []),
    ('net.cidr_contains_matches(["10.0.0.0/8"],{"k":"10.1.1.1"})', [[0, "k"]]),
    ('net.cidr_contains_matches({["10.0.0.0/8","x"]},"10.0.0.1")', [[["10.0.0.0/8", "x"], "10.0.0.1"]]),
    ('uri.is_valid("http://a b")', False),
    ("uri.is_valid(input.n)", False),
    (
        'uuid.parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8")',
        {
            "clocksequence": 180,
            "macvariables": "global:unicast",
            "nodeid": "00-c0-4f-d4-30-c8",
            "time": 886630433151182400,
            "variant": "RFC4122",
            "version": 1,
        },
    ),
    ('semver.compare("1.2.3","1.2.3-rc.1")', 1),
    ('semver.compare("1.0.0-rc.2","1.0.0-rc.10")', -1),
    ('semver.compare("1.0.0-1","1.0.0-a")', -1),
    ('semver.compare("1.2.3+a","1.2.3+b")', 0),
    ('semver.is_valid("1.2.3")', True),
    ('semver.is_valid("1.2")', False),
    ("semver.is_valid(input.n)", False),
    ('units.parse("1.5G")', 1500000000),
    ('units.parse("100m")', 0.1),
    ('units.parse("1Ki")', 1024),
    ('units.parse("-2M")', -2000000),
    ('units.parse_bytes("10KiB")', 10240),
    ('units.parse_bytes("1.5mb")', 1500000),
    ('units.parse_bytes("1")', 1),
    ('units.parse_bytes("1m")', 1000000),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ('net.cidr_contains("fe80::/10","fe80::1%eth0")', "eval_builtin_error"),
    ('net.cidr_contains("10.0.0.0/8","010.0.0.1")', "eval_builtin_error"),
    ('net.cidr_contains("10.0.0.0/33","10.0.0.1")', "eval_builtin_error"),
    ('net.cidr_expand("x")', "eval_builtin_error"),
    ('semver.compare("1.2","1.2.3")', "eval_builtin_error"),
    ('units.parse("1KB")', "eval_builtin_error"),
    ('units.parse("")', "eval_builtin_error"),
    ('units.parse("1 K")', "eval_builtin_error"),
    ('units.parse_bytes("10b")', "eval_builtin_error"),
    ('units.parse_bytes("x")', "eval_builtin_error"),
    ('net.cidr_contains(input.n,"10.0.0.1")', "eval_type_error"),
    ("units.parse(input.n)", "eval_type_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_network_values(answer, exact, call, expected):
    assert exact(answer(call)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_network_errors(answer, call, code):
    assert answer(call) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, strict=True)
    assert caught.value.code == code
