"""Sign suite files and check their signatures, so that a changed suite is noticed before it scores anything."""

import base64
import binascii
import json
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from evaluation.errors import InvalidSuite

KEYS_DIR = Path(__file__).parent / "suites" / "keys"
_FIX = (
    "Take the file from where it was published; a suite that has to change gets a new version and signature."
)


def new_key_pair() -> tuple[bytes, bytes]:
    """Make an Ed25519 key pair: (private, public), both PEM."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), public


def sign_suite(document: str, private_key: bytes) -> str:
    """Put a suite, given as its canonical JSON text, and its Ed25519 signature into one JSON text.

    Raises:
        InvalidSuite: the key is no Ed25519 private key in PEM.
    """
    try:
        key = load_pem_private_key(private_key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidSuite(f"The private key cannot be read: {error}.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidSuite("The private key is no Ed25519 key.", fix="Make one with `suites new-key`.")
    signature = base64.b64encode(key.sign(document.encode())).decode()
    return (
        json.dumps({"suite": json.loads(document), "signature": signature}, indent=1, sort_keys=True) + "\n"
    )


def open_signed(text: str, public_keys: Sequence[bytes]) -> str:
    """Return the canonical JSON text of a signed suite, if one of the public keys confirms its signature.

    Raises:
        InvalidSuite: no signed suite, changed after it was signed, or signed by somebody else.
    """
    try:
        fields = json.loads(text)
        document = json.dumps(fields["suite"], sort_keys=True, separators=(",", ":"))
        signature = base64.b64decode(fields["signature"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise InvalidSuite("This is no signed suite: it needs `suite` and `signature`.", fix=_FIX) from error
    if not any(_confirms(key, signature, document.encode()) for key in public_keys):
        raise InvalidSuite(
            "The suite was changed after it was signed, or an unknown key signed it.", fix=_FIX
        )
    return document


def shipped_keys() -> list[bytes]:
    """Return the public keys whose suites this library trusts."""
    return [path.read_bytes() for path in sorted(KEYS_DIR.glob("*.pem"))]


def _confirms(public_key: bytes, signature: bytes, data: bytes) -> bool:
    try:
        key = load_pem_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidSuite(f"A public key cannot be read: {error}.", fix="It must be in PEM.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidSuite("A public key is no Ed25519 key.")
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
