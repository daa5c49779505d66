"""``sockaddr``: IP addresses and networks, with or without a port."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Final

from solon.lang.sentinel.imports.declare import STRING, Namespace, function, named
from solon.lang.sentinel.values import Failure, Surroundings, Value

_FORM: Final = re.compile(
    r"(?P<v4>[0-9.]{7,15})(?P<mask4>/[0-9]{1,2})?(?::(?P<port4>[0-9]{1,5}))?"
    r"|\[(?P<v6p>[0-9a-fA-F:.]{2,45})\]:(?P<port6>[0-9]{1,5})"
    r"|\[?(?P<v6>[0-9a-fA-F:.]{2,45})\]?(?P<mask6>/[0-9]{1,3})?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Address:
    interface: IPv4Interface | IPv6Interface
    port: int


def _parsed(text: str) -> Address | None:
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    address = found["v4"] or found["v6p"] or found["v6"]
    port = int(found["port4"] or found["port6"] or 0)
    try:
        interface = ip_interface(address + (found["mask4"] or found["mask6"] or ""))
    except ValueError:
        return None
    return Address(interface, port) if port < 1 << 16 else None


def _address(text: str, name: str) -> Address:
    found = _parsed(text)
    if found is None:
        raise Failure(f"{name}: this is not an IP address: {text[:60]!r}")
    return found


def is_contained(outer: str, inner: str) -> bool:
    network = _address(outer, "sockaddr.is_contained").interface.network
    other = _address(inner, "sockaddr.is_contained").interface.network
    return network.version == other.version and other.subnet_of(network)  # type: ignore[arg-type]


def is_equal(one: str, other: str) -> bool:
    return _address(one, "sockaddr.is_equal") == _address(other, "sockaddr.is_equal")


def _is_version(number: int, text: str) -> bool:
    found = _parsed(text)
    return found is not None and found.interface.version == number


_NAMESPACE: Final = Namespace(
    named(
        "sockaddr",
        function("sockaddr.is_contained", is_contained, STRING, STRING),
        function("sockaddr.is_equal", is_equal, STRING, STRING),
        function("sockaddr.is_ipv4", lambda text: _is_version(4, text), STRING),
        function("sockaddr.is_ipv6", lambda text: _is_version(6, text), STRING),
    )
)


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
