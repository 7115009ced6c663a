# SPDX-License-Identifier: ISC
"""Opens held originals as src/held/held_int.h and src/crypto/seal.c describe them,
without any code of Gatepost's."""
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ABOUT, WRAPPED, PIECE, TAG, TRACE = 81, 80, 65536, 16, 1024


def key_of(g):
    return bytes.fromhex((g.dir / "keys" / "held.key").read_text().strip())


def names(g):
    return sorted(f.name for f in (g.data / "held").iterdir())


class Original:
    """One held file, decrypted: .text (trace block and message), .facts, .digest.
    Whatever is not as it was sealed is an exception."""

    def __init__(self, path, private):
        raw = path.read_bytes()
        about, wrapped = raw[:ABOUT], raw[ABOUT:ABOUT + WRAPPED]
        magic, name, self.time, size, nfacts, family = struct.unpack_from("<8s20sQQIB", about)
        assert magic == b"GPHELD1\n" and name.decode() == path.name
        plain = self.pieces(raw[ABOUT + WRAPPED:], self.unwrap(about, wrapped, private))
        self.digest, self.facts = plain[:32], plain[32:32 + nfacts]
        self.text = plain[32 + nfacts:]
        assert len(self.text) == size
        own = X25519PrivateKey.from_private_bytes(private).public_key()
        mark = hmac.digest(raw_of(own), b"gatepost held mark\0" + self.digest, "sha256")
        assert mark[:16] == about[-16:]

    @staticmethod
    def unwrap(about, wrapped, private):
        key = X25519PrivateKey.from_private_bytes(private)
        shared = key.exchange(X25519PublicKey.from_public_bytes(wrapped[:32]))
        salt = wrapped[:32] + raw_of(key.public_key())
        wrap = HKDF(hashes.SHA256(), 32, salt, b"gatepost seal 1").derive(shared)
        return AESGCM(wrap).decrypt(bytes(12), wrapped[32:], about)

    @staticmethod
    def pieces(sealed, file_key):
        cipher, plain = AESGCM(file_key), b""
        for number, at in enumerate(range(0, len(sealed), PIECE + TAG)):
            last = at + PIECE + TAG >= len(sealed)
            nonce = bytes(7) + struct.pack(">IB", number, last)
            plain += cipher.decrypt(nonce, sealed[at:at + PIECE + TAG], None)
        return plain

    @property
    def message(self):
        return self.text[TRACE:]

    def is_as_received(self):
        """No field was renamed, and every byte is there."""
        return hashlib.sha256(self.message).digest() == self.digest


def raw_of(public):
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def originals(g):
    """All held files by name."""
    key = key_of(g)
    return {name: Original(g.data / "held" / name, key) for name in names(g)}
