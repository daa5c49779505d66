"""net.*: CIDR blocks and addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, Final

from solon.lang.budget import claim, spend
from solon.lang.rego.builtins.registry import Builtin, Context, string, wrong_type
from solon.lang.rego.errors import BuiltinError, HaltError, OperandError
from solon.lang.values import Set, Value, items_of

_MAPPED: Final = 96  # bits before an address of IPv4 written as IPv6
_ADDRESS_STEPS: Final = 50  # an address as text takes about as much as fifty small elements

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _network(text: str) -> Network:
    """A block. Raises BuiltinError."""
    if "/" not in text:
        raise BuiltinError(f"invalid CIDR address: {text}")
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise BuiltinError(f"invalid CIDR address: {text}") from None
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED:
        return network
    return ipaddress.ip_network(f"{mapped}/{network.prefixlen - _MAPPED}")


def _address(text: str) -> Address | None:
    """An address; one of IPv4 written as IPv6 is one of IPv4, as it is for Go."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    return None if address.scope_id else address.ipv4_mapped or address


def _within(block: Network, other: Network | Address) -> bool:
    if block.version != other.version:
        return False
    if isinstance(other, ipaddress.IPv4Address | ipaddress.IPv6Address):
        return other in block
    return bool(other.subnet_of(block))  # type: ignore[arg-type]


def _block_or_address(text: str) -> Network | Address:
    return _address(text) or _network(text)


def contains(block: Value, other: Value) -> bool:
    string(block, 1)
    string(other, 2)
    return _within(_network(block), _block_or_address(other))


def intersects(a: Value, b: Value) -> bool:
    left, right = _network(string(a, 1)), _network(string(b, 2))
    return left.version == right.version and left.overlaps(right)


def is_valid(text: Value) -> bool:
    if type(text) is not str:
        return False
    try:
        _network(text)
    except BuiltinError:
        return False
    return True


def expand(block: Value) -> Set:
    network = _network(string(block, 1))
    spend(network.num_addresses * _ADDRESS_STEPS)
    claim(network.num_addresses * 2 * _ADDRESS_STEPS)
    addresses = map(str, network)
    return Set({address: address for address in addresses})


def _operands(value: Value, position: int) -> Iterable[tuple[Value, str]]:
    """(index or member, block) of a string, array, set or object of blocks."""
    if type(value) is str:
        return [(value, value)]
    if type(value) not in (list, dict, Set):
        raise wrong_type(value, position, "one of {string, array, set, object}")
    spend(_ADDRESS_STEPS * len(value))
    return [(index, _block_of(element, position)) for index, element in items_of(value)]


def _block_of(element: Value, position: int) -> str:
    if type(element) is list and element:
        element = element[0]
    if type(element) is not str:
        raise BuiltinError(f"operand {position}: element must be string or non-empty array")
    return element


def contains_matches(blocks: Value, others: Value) -> Set:
    out = Set()
    parsed = [(index, _block_or_address(text)) for index, text in _operands(others, 2)]
    for index, text in _operands(blocks, 1):
        network = _network(text)
        spend(_ADDRESS_STEPS * (1 + len(parsed)))
        for other_index, other in parsed:
            if _within(network, other):
                out.add([index, other_index])
    return out


def merge(blocks: Value) -> Set:
    if type(blocks) is not list and type(blocks) is not Set:
        raise wrong_type(blocks, 1, "one of {array, set}")
    networks: dict[int, list[Any]] = {4: [], 6: []}
    for member in blocks.values() if type(blocks) is Set else blocks:
        spend(4 * _ADDRESS_STEPS)
        if type(member) is not str:
            raise OperandError(1, "must be array of strings")
        address = _address(member)
        if address is not None and address.version == 6:
            raise BuiltinError("IPv6 invalid: needs prefix length")
        network = ipaddress.IPv4Network(_classful(address)) if address is not None else _network(member)
        networks[network.version].append(network)
    spend(4 * _ADDRESS_STEPS * len(blocks))
    merged = [*ipaddress.collapse_addresses(networks[4]), *ipaddress.collapse_addresses(networks[6])]
    return Set.of(str(network) for network in merged)


def _classful(address: Address) -> str:
    """A bare IPv4 address stands for its classful network (Go's DefaultMask)."""
    first = int(str(address).partition(".")[0])
    prefix = 8 if first < 128 else 16 if first < 192 else 24
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def lookup_ip_addr(context: Context, name: Value) -> Set:
    host = string(name, 1)
    if _address(host) is not None:
        return Set({host: host})
    if host not in context.allowed_hosts:
        raise HaltError(
            f"host {host} is not allowed: policies reach no network unless the operator allows the host"
        )
    import socket

    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BuiltinError(f"lookup {host}: {error}") from None
    return Set.of(str(entry[4][0]) for entry in found)


_BLOCK = "string|array[any]"
_BLOCKS = f"string|array[{_BLOCK}]|object[string: {_BLOCK}]|set[{_BLOCK}]"

BUILTINS = (
    Builtin("net.cidr_contains", "(string, string) -> boolean", contains),
    Builtin("net.cidr_contains_matches", f"({_BLOCKS}, {_BLOCKS}) -> set[array<any, any>]", contains_matches),
    Builtin("net.cidr_expand", "(string) -> set[string]", expand),
    Builtin("net.cidr_intersects", "(string, string) -> boolean", intersects),
    Builtin("net.cidr_overlap", "(string, string) -> boolean", contains, deprecated=True),
    Builtin("net.cidr_is_valid", "(string) -> boolean", is_valid),
    Builtin("net.cidr_merge", "(array[string]|set[string]) -> set[string]", merge),
    Builtin("net.lookup_ip_addr", "(string) -> set[string]", lookup_ip_addr, contextual=True),
)
