"""A page's contents sealed: compressed, padded, encrypted. `static/open.js` does the reverse in the
browser.

The key of AES-256-GCM is drawn from the 128-bit key in the link by HKDF-SHA256. Every page of a build is padded to
one length and sealed with a fresh nonce, so that neither size nor change tells who did what.
"""

from __future__ import annotations

import gzip
import os
import re
from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# These three are known to open.js, too: pages sealed with others would not open any more.
PURPOSE = b"autograder points page"
NONCE_BYTES = 12
LENGTH_BYTES = 4
# The largest page sets everybody's size; in whole blocks it says little of how large it is.
BLOCK = 1024
# Where a page has its sealed contents, as templates/sealed.html writes it.
SEALED = re.compile(r'<template id="sealed" data-page="\w+">(?P<sealed>[^<]*)</template>')


def pack_contents(contents: str) -> bytes:
    """Compress a page's contents, with their compressed length in front, big-endian in four
    bytes.
    """
    # A lone surrogate is not worth a page. No time in it: equal contents give equal bytes.
    packed = gzip.compress(contents.encode("utf-8", "replace"), mtime=0)
    return len(packed).to_bytes(LENGTH_BYTES, "big") + packed


def find_padded_size(sizes: list[int]) -> int:
    """Return the size in bytes that pages of these sizes are padded to: the largest, in whole
    blocks.
    """
    return -(-max(sizes, default=0) // BLOCK) * BLOCK


def seal_contents(packed: bytes, key: bytes, page: str, size: int) -> str:
    """Encrypt packed contents.

    Parameters
    ----------
    packed : bytes
        What `pack_contents` made.
    key : bytes
        The 16 bytes of the link.
    page : str
        The page's name; authenticated, so that one page cannot be passed off as another.
    size : int
        Length in bytes to pad to.

    Returns
    -------
    str
        Nonce, ciphertext and tag in base64.
    """
    # Never twice with one key: two texts under one nonce give each other away.
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(derive_cipher_key(key)).encrypt(
        nonce, packed.ljust(size, b"\0"), page.encode()
    )
    return b64encode(nonce + ciphertext).decode()


def unseal_contents(sealed: str, key: bytes, page: str) -> str:
    """Return the contents of a page that `seal_contents` encrypted.

    Raises
    ------
    ValueError
        If it is damaged, or was sealed with another key or for another page.
    """
    return gzip.decompress(unseal_packed(sealed, key, page)[LENGTH_BYTES:]).decode()


def unseal_packed(sealed: str, key: bytes, page: str) -> bytes:
    """Return what `pack_contents` made, without padding, of a page that was sealed; it raises as
    `unseal_contents` does.
    """
    content = b64decode(sealed, validate=True)
    try:
        padded = AESGCM(derive_cipher_key(key)).decrypt(
            content[:NONCE_BYTES], content[NONCE_BYTES:], page.encode()
        )
    except InvalidTag:
        raise ValueError("its key does not open it") from None
    length = int.from_bytes(padded[:LENGTH_BYTES], "big")
    return padded[: LENGTH_BYTES + length]


def derive_cipher_key(key: bytes) -> bytes:
    """Return the 256-bit key of the cipher for a link's key."""
    # Without salt: the browser must draw the same key from nothing but the link.
    return HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(key)
