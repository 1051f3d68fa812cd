"""Decompress the blocks of object containers, never into more bytes than there is room for."""

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from schemas._record_reader import UnreadableError

MAX_INFLATED_BYTES = 256 * 2**20
"""The most bytes that the blocks of one container may inflate to, all together."""

_XZ_MEMORY_BYTES = 256 * 2**20
_CRC_SIZE = 4


class _Decompressor(Protocol):
    eof: bool

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def inflate(codec: str, data: bytes, room: int, *, whole: bool) -> bytes:
    """Decompress a block.

    Parameters
    ----------
    codec : as Avro names it; any that fastavro writes.
    data : the compressed bytes.
    room : the most bytes to inflate to.
    whole : False for a block that was cut off: what can be inflated of it is, perhaps nothing.

    Raises
    ------
    UnreadableError
        If the codec isn't known, the data are broken, or there isn't room.
    """
    if codec not in _CODECS:
        raise UnreadableError(f"the container's codec is {codec!r}; known codecs: {', '.join(_CODECS)}")
    try:
        inflated = _CODECS[codec](data, room, whole)
    except UnreadableError:
        raise
    except Exception as error:  # noqa: BLE001 - every library has exceptions of its own
        if whole:
            raise UnreadableError(f"a block doesn't inflate ({codec}): {type(error).__name__}: {error}") from None
        return b""
    if len(inflated) > room:
        raise _too_large()
    return inflated


def _too_large() -> UnreadableError:
    return UnreadableError(f"the container inflates to more than {MAX_INFLATED_BYTES} bytes")


def _stream(open_: Callable[[], Any], data: bytes, room: int, whole: bool) -> bytes:
    decompressor: _Decompressor = open_()
    inflated = decompressor.decompress(data, room + 1)
    if whole and not decompressor.eof and len(inflated) <= room:
        raise UnreadableError("a block doesn't inflate: its compressed bytes end too early")
    return inflated


def _null(data: bytes, _room: int, _whole: bool) -> bytes:
    return data


def _deflate(data: bytes, room: int, whole: bool) -> bytes:
    # -15: raw deflate without zlib's header, in the largest window.
    return _stream(lambda: zlib.decompressobj(-15), data, room, whole)


def _bzip2(data: bytes, room: int, whole: bool) -> bytes:
    return _stream(bz2.BZ2Decompressor, data, room, whole)


def _xz(data: bytes, room: int, whole: bool) -> bytes:
    return _stream(lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES), data, room, whole)


def _zstandard(data: bytes, room: int, whole: bool) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return _stream(zstd.ZstdDecompressor, data, room, whole)


def _snappy(data: bytes, room: int, _whole: bool) -> bytes:
    from cramjam import snappy

    # The checksum of the inflated bytes stands behind the data, in four big-endian bytes.
    body, checksum = data[:-_CRC_SIZE], int.from_bytes(data[-_CRC_SIZE:], "big")
    if snappy.decompress_raw_len(body) > room:
        raise _too_large()
    inflated = bytes(snappy.decompress_raw(body))
    if zlib.crc32(inflated) != checksum:
        raise ValueError("the bytes don't have the checksum that stands behind them")
    return inflated


def _lz4(data: bytes, room: int, _whole: bool) -> bytes:
    import lz4.block  # type: ignore[import-untyped]  # publishes no types

    # The inflated size stands in front of the data, in four little-endian bytes.
    if int.from_bytes(data[:4], "little") > room:
        raise _too_large()
    return bytes(lz4.block.decompress(data))


_CODECS: dict[str, Callable[[bytes, int, bool], bytes]] = {
    "null": _null,
    "deflate": _deflate,
    "bzip2": _bzip2,
    "snappy": _snappy,
    "zstandard": _zstandard,
    "lz4": _lz4,
    "xz": _xz,
}
