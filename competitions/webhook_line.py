"""The line on which webhooks leave: signed, to public addresses only, bounded in time, and no redirect followed.

Messages are signed as https://www.standardwebhooks.com describes, so that receivers find a library that checks them.
"""

import base64
import hashlib
import hmac
import http.client
import secrets
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from threading import Timer
from urllib.parse import SplitResult, urlsplit

from competitions.errors import AddressRefused

SECRET_PREFIX = "whsec_"
CONNECT_SECONDS = 5
SECONDS = 10  # for a whole attempt, whatever trickles in
# Why a message has not arrived; anything else is the system's own word for it.
TOO_LATE = "No answer in time."
REDIRECTED = "Redirects are not followed."
REFUSED = "The receiver refused it."
SWITCHED_OFF = "The webhook was switched off."
PROBLEMS = (TOO_LATE, REDIRECTED, REFUSED, SWITCHED_OFF)
PORTS = {"http": 80, "https": 443}
# Public by their number, but they carry other addresses in them, or lead into the provider's network.
CARRIERS: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(text)
    for text in ("192.88.99.0/24", "192.0.0.0/24", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/23", "2002::/16")
)


@dataclass(frozen=True)
class Letter:
    """A message on its way out."""

    url: str
    secret: str
    id: str
    body: str


@dataclass(frozen=True)
class Answer:
    """What came of an attempt: a status, or why there is none."""

    status: int | None
    error: str
    milliseconds: int

    @property
    def is_taken(self) -> bool:
        """Say whether the receiver has the message."""
        return self.status is not None and 200 <= self.status < 300


def make_secret() -> str:
    """Return a new secret."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(letter: Letter, timestamp: int) -> str:
    """Return the signature: HMAC-SHA256 over id, timestamp and body, with full stops between them."""
    key = base64.b64decode(letter.secret.removeprefix(SECRET_PREFIX))
    content = f"{letter.id}.{timestamp}.{letter.body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def check_address(url: str, *, may_be_private: bool) -> str:
    """Return the number of the machine that an address leads to now.

    Raises:
        AddressRefused: malformed, unknown, or not public.
    """
    parts = _parts(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or PORTS[parts.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused("The name in this address is not known.") from error
    numbers = [str(entry[4][0]) for entry in found]
    if not may_be_private and not all(_is_public(number) for number in numbers):
        raise AddressRefused("This address leads into a private network.")
    return numbers[0]


def send(letter: Letter, *, may_be_private: bool) -> Answer:
    """Try once to deliver; what goes wrong is in the answer. The receiver's body is never read."""
    start, status = time.monotonic(), None
    try:
        status = _post(letter, check_address(letter.url, may_be_private=may_be_private))
        problem = _objection(status)
    except AddressRefused as error:
        problem = error.message
    except (OSError, http.client.HTTPException) as error:
        problem = f"{type(error).__name__}: {error}"[:300]
    seconds = time.monotonic() - start
    if seconds >= SECONDS:  # the head of an answer that was cut off may look whole
        status, problem = None, TOO_LATE
    return Answer(status, problem, round(1000 * seconds))


def _objection(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return REDIRECTED if 300 <= status < 400 else REFUSED


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.scheme in PORTS and parts.port != 0
    except ValueError as error:
        raise AddressRefused("This is no address of a web server.") from error
    if not is_whole or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused("This is no address of a web server.")
    if "@" in parts.netloc or parts.fragment:
        raise AddressRefused("The address names a user or a fragment.")
    return parts


def _is_public(number: str) -> bool:
    address = ip_address(number)
    address = getattr(address, "ipv4_mapped", None) or address
    is_carrier = any(address in network for network in CARRIERS)
    return address.is_global and not (address.is_multicast or address.is_reserved or is_carrier)


def _post(letter: Letter, number: str) -> int:
    """Send to the very machine that was checked: the name is not asked for again, and a proxy neither."""
    parts = _parts(letter.url)
    port = parts.port or PORTS[parts.scheme]
    with socket.create_connection((number, port), CONNECT_SECONDS) as line, line.dup() as rope:
        timer = Timer(SECONDS, _cut, [rope])
        timer.daemon = True
        timer.start()
        try:
            return _ask(line, parts, letter)
        finally:
            timer.cancel()
            timer.join()


def _ask(line: socket.socket, parts: SplitResult, letter: Letter) -> int:
    if parts.scheme == "https":
        line = ssl.create_default_context().wrap_socket(line, server_hostname=parts.hostname)
    line.settimeout(SECONDS)
    connection = http.client.HTTPConnection(str(parts.hostname))
    connection.sock = line
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, letter.body.encode(), dict(_headers(letter, parts.netloc)))
        return connection.getresponse().status
    finally:
        connection.close()


def _headers(letter: Letter, host: str) -> Mapping[str, str]:
    timestamp = int(time.time())
    return {
        "Host": host,
        "Content-Type": "application/json",
        "User-Agent": "Pastiche-Webhooks/1",
        "webhook-id": letter.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(letter, timestamp),
    }


def _cut(rope: socket.socket) -> None:
    with suppress(OSError):
        rope.shutdown(socket.SHUT_RDWR)
