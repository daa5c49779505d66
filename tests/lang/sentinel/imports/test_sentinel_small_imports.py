"""base64, runtime, sockaddr, types, units: the documentation's examples, and what it says of errors."""

from __future__ import annotations

import sys
from subprocess import run

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentinel_imports import MISSING, call, host_function, opened

from solon.lang.sentinel.imports import STANDARD
from solon.lang.sentinel.values import Failure, Undefined

NOWHERE = Undefined("no key")


def test_every_standard_import_is_there() -> None:
    assert sorted(STANDARD) == [
        "base64", "collection", "collection/lists", "collection/maps", "decimal", "http", "json", "runtime",
        "sockaddr", "strings", "time", "types", "units", "version",
    ]  # fmt: skip


def test_naming_the_imports_loads_none_of_them() -> None:
    program = (
        "import sys, solon.lang.sentinel.imports as i;"
        "print(sorted(m for m in sys.modules if m.startswith(i.__name__ + '.')), 'http.client' in sys.modules)"
    )
    out = run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert out.stdout == "[] False\n"


@pytest.mark.parametrize("name", sorted(STANDARD))
def test_what_an_import_lacks_is_the_default(name: str) -> None:
    assert opened(name).get("no_such_member", MISSING) is MISSING
    assert opened(name).type_name == "import"


CALLS = [
    ("base64", "encode", ("foo",), "Zm9v"),
    ("base64", "decode", ("Zm9v",), "foo"),
    ("base64", "urlencode", ("foo",), "Zm9v"),
    ("base64", "urldecode", ("Zm9v",), "foo"),
    ("base64", "encode", ("",), ""),
    ("base64", "encode", ("ÿ?>",), "w78/Pg=="),
    ("base64", "urlencode", ("ÿ?>",), "w78_Pg=="),
    ("base64", "urldecode", ("w78_Pg==",), "ÿ?>"),
    ("base64", "decode", ("Zm9v\r\nYmFy",), "foobar"),
    # Bytes that are no text stay themselves.
    ("base64", "decode", ("/w==",), "\udcff"),
    ("base64", "encode", ("\udcff",), "/w=="),
    ("sockaddr", "is_contained", ("192.168.0.0/24", "192.168.0.32"), True),
    ("sockaddr", "is_contained", ("192.168.0.0/24", "192.174.1.1"), False),
    ("sockaddr", "is_contained", ("10.0.0.0/8", "10.1.0.0/16"), True),
    ("sockaddr", "is_contained", ("10.1.0.0/16", "10.0.0.0/8"), False),
    ("sockaddr", "is_contained", ("2001:db8::/32", "2001:db8::1"), True),
    ("sockaddr", "is_contained", ("0.0.0.0/0", "::1"), False),
    ("sockaddr", "is_equal", ("192.168.12.24", "192.168.12.24"), True),
    ("sockaddr", "is_equal", ("192.168.12.24", "192.168.12.25"), False),
    ("sockaddr", "is_equal", ("192.168.12.24", "192.168.12.24/32"), True),
    ("sockaddr", "is_equal", ("192.168.12.0/24", "192.168.12.0/25"), False),
    ("sockaddr", "is_equal", ("2001:0db8:0:0:0:0:0:1", "2001:db8::1"), True),
    ("sockaddr", "is_equal", ("10.0.0.1:80", "10.0.0.1:443"), False),
    ("sockaddr", "is_ipv4", ("192.168.12.24",), True),
    ("sockaddr", "is_ipv4", ("10.0.0.0/8",), True),
    ("sockaddr", "is_ipv4", ("2001:0db8:85a3:0000:0000:8a2e:0370:7334",), False),
    ("sockaddr", "is_ipv6", ("2001:0db8:85a3:0000:0000:8a2e:0370:7334",), True),
    ("sockaddr", "is_ipv6", ("192.168.12.24",), False),
    ("sockaddr", "is_ipv4", ("example.com",), False),
    ("sockaddr", "is_ipv4", ("256.1.1.1",), False),
    ("sockaddr", "is_ipv6", ("",), False),
    ("types", "type_of", (True,), "bool"),
    ("types", "type_of", ("Hello!",), "string"),
    ("types", "type_of", (42,), "int"),
    ("types", "type_of", (42.123,), "float"),
    ("types", "type_of", (None,), "null"),
    ("types", "type_of", (NOWHERE,), "undefined"),
    ("types", "type_of", ([1],), "list"),
    ("types", "type_of", ({},), "map"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name", "arguments", "result"), CALLS)
def test_calls(module: str, name: str, arguments: tuple[object, ...], result: object) -> None:
    found = call(opened(module), name, *arguments)
    assert (type(found), found) == (type(result), result)


@pytest.mark.parametrize(
    ("module", "name", "result"),
    [
        ("units", "kilobyte", 1024),
        ("units", "megabyte", 1048576),
        ("units", "gigabyte", 1073741824),
        ("units", "terabyte", 1099511627776),
        ("units", "petabyte", 1125899906842624),
        ("runtime", "version", "0.40.0"),
    ],
)
def test_constants(module: str, name: str, result: object) -> None:
    assert opened(module).get(name, MISSING) == result


@pytest.mark.parametrize(
    ("module", "name", "arguments", "message"),
    [
        ("base64", "encode", (1,), "base64.encode: the argument must be a string, not int"),
        ("base64", "encode", (None,), "base64.encode: the argument must be a string, not null"),
        ("base64", "encode", (), "base64.encode takes 1 argument, not 0"),
        ("base64", "encode", ("a", "b"), "base64.encode takes 1 argument, not 2"),
        ("base64", "decode", ("Zm9",), "base64.decode: this is not base64: 'Zm9'"),
        ("base64", "decode", ("Zm9!",), "base64.decode: this is not base64: 'Zm9!'"),
        ("base64", "decode", ("w78_Pg==",), "base64.decode: this is not base64: 'w78_Pg=='"),
        ("base64", "urldecode", ("w78/Pg==",), "base64.urldecode: this is not base64: 'w78/Pg=='"),
        ("sockaddr", "is_contained", ("10.0.0.0/8", 1), "sockaddr.is_contained: the second argument must be a string, not int"),
        ("sockaddr", "is_contained", ("10.0.0.0/33", "10.0.0.1"), "sockaddr.is_contained: this is not an IP address: '10.0.0.0/33'"),
        ("sockaddr", "is_equal", ("10.0.0.1", "host"), "sockaddr.is_equal: this is not an IP address: 'host'"),
        ("types", "type_of", (), "types.type_of takes 1 argument, not 0"),
    ],
)  # fmt: skip
def test_failures(module: str, name: str, arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(Failure) as raised:
        call(opened(module), name, *arguments)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        ("base64", "encode", (NOWHERE,)),
        ("base64", "decode", (NOWHERE,)),
        ("sockaddr", "is_contained", (NOWHERE, "10.0.0.1")),
        ("sockaddr", "is_contained", ("10.0.0.0/8", NOWHERE)),
    ],
)
def test_what_is_undefined_stays_so_and_keeps_its_cause(
    module: str, name: str, arguments: tuple[object, ...]
) -> None:
    assert call(opened(module), name, *arguments) is NOWHERE


def test_a_function_is_a_func() -> None:
    assert call(opened("types"), "type_of", host_function("f", lambda: 1, 0)) == "func"


@given(st.binary(max_size=200))
def test_base64_gives_back_what_it_took(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    members = opened("base64")
    assert call(members, "decode", call(members, "encode", text)) == text
    assert call(members, "urldecode", call(members, "urlencode", text)) == text
    assert not set("+/") & set(call(members, "urlencode", text))
