# SPDX-License-Identifier: ISC
"""What hostile messages are put together from, and the table they stand in.

A trick is a function that hides the bytes it is given in a message.  Given EICAR
it makes an evasion, given a harmless file its benign twin: same structure, nothing
in it.  EICAR is in no file of ours in one piece.
"""
import base64
import binascii
import functools
import io
import struct
import zipfile
import zlib

CRLF = b"\r\n"
B = b"=_frontier"
NAME = b"notes.dat"
ZSTD = b"\x28\xb5\x2f\xfd"


class Trick:
    """A way to hide a file: name, kind, and `why`: which reader shows the file and
    which scanner misses it.  `binary`: bare CR, LF or NUL in it, so it can only come by
    BDAT with BODY=BINARYMIME.  `nobody`: why no reader shows it; then nothing is
    expected of us."""

    def __init__(self, kind, make, why, binary, nobody):
        self.name = make.__name__
        self.kind, self.make, self.why = kind, make, why
        self.binary, self.nobody = binary, nobody

    def __call__(self, data):
        return self.make(data)


TRICKS = []


def trick(kind, why, binary=False, nobody=""):
    def enter(make):
        assert make.__name__ not in {t.name for t in TRICKS}, make.__name__
        TRICKS.append(Trick(kind, make, why, binary, nobody))
        return make
    return enter


# --- messages --------------------------------------------------------------------


def head(subject=b"the file"):
    return (b"From: Carol Sender <carol@sender.example>\r\nTo: alice@example.test\r\n"
            b"Subject: " + subject + b"\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
            b"Message-ID: <20261123.%08x@sender.example>\r\n" % zlib.crc32(subject))


def fields(**values):
    """content_type="…" → b"Content-Type: …" lines."""
    return b"".join(name.replace("_", "-").title().encode() + b": " + value + CRLF
                    for name, value in values.items())


def letter(fields, body, mime=True):
    """A message: its usual fields, then these, an empty line and the body."""
    version = b"MIME-Version: 1.0\r\n" if mime else b""
    return head() + version + fields + CRLF + body


def lines(*wanted):
    return b"".join(line + CRLF for line in wanted)


def note(text=b"Please see the attached file.\r\n"):
    return b"Content-Type: text/plain; charset=us-ascii\r\n\r\n" + text


def attached(body, encoding=b"base64", ctype=b"application/octet-stream", name=NAME, extra=b""):
    """A part: an attachment, its body as it stands."""
    cte = b"Content-Transfer-Encoding: " + encoding + CRLF if encoding else b""
    return (b"Content-Type: " + ctype + b'; name="' + name + b'"\r\n' + cte +
            b'Content-Disposition: attachment; filename="' + name + b'"\r\n' + extra + CRLF + body)


def evil(data, **more):
    """The usual attachment: what a trick hides unless it is about the part itself."""
    return attached(b64(data), **more)


def parts(*inner, boundary=B, last=b"--"):
    """Delimiters around parts, and the closing one.  A part's last line end belongs to
    the delimiter behind it (RFC 2046 5.1.1)."""
    return b"".join(b"--" + boundary + CRLF + p + (b"" if p.endswith(CRLF) else CRLF)
                    for p in inner) + b"--" + boundary + last + CRLF


def mixed(*inner, boundary=B, subtype=b"mixed"):
    """A part (or the end of a header) that is a multipart."""
    return (b"Content-Type: multipart/" + subtype + b'; boundary="' + boundary + b'"\r\n\r\n' +
            parts(*inner, boundary=boundary))


def whole(part):
    """A message from a part: its fields are the message's."""
    return head() + b"MIME-Version: 1.0\r\n" + part


def with_type(ctype, body):
    """A message with this raw Content-Type value."""
    return letter(b"Content-Type: " + ctype + CRLF, body)


def usual(data, boundary=B):
    """Body of a multipart with a note and the attachment."""
    return parts(note(), evil(data), boundary=boundary)


def in_zip(data, method=zipfile.ZIP_DEFLATED, name="notes.txt"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        z.writestr(zipfile.ZipInfo(name, (2026, 11, 23, 10, 0, 0)), data, method)
    return out.getvalue()


def padded(data, size=3000):
    """The file with text behind it, so that there are many lines of it."""
    text = b"The rest of this file is only here to make it longer, %04d.\r\n"
    more = b"".join(text % n for n in range(size // 60))
    if data.startswith(ZSTD):   # a frame that is skipped
        return data + struct.pack("<II", 0x184d2a50, len(more)) + more
    return data + CRLF + more


# --- encodings -------------------------------------------------------------------


def b64(data, width=76, eol=CRLF):
    text = base64.b64encode(data)
    return b"".join(text[i:i + width] + eol for i in range(0, len(text), width))


def qp(data, width=72, eol=CRLF, digits=b"=%02X"):
    """Every byte as =XX, soft line breaks."""
    step = width // 3
    rows = [b"".join(digits % c for c in data[i:i + step]) for i in range(0, len(data), step)]
    return (b"=" + eol).join(rows) + eol


def uu_lines(data, backtick=True, width=45):
    out = []
    for i in range(0, len(data), width):
        row = binascii.b2a_uu(data[i:i + width], backtick=backtick)
        out.append(row.rstrip(b"\n"))
    return out


def uu(data, name=NAME, backtick=True, width=45, end=True, eol=CRLF):
    rows = [b"begin 644 " + name, *uu_lines(data, backtick, width)]
    if end:
        rows += [b"`" if backtick else b" ", b"end"]
    return b"".join(row + eol for row in rows)


def yenc_line(data):
    out = bytearray()
    for c in data:
        e = (c + 42) & 255
        if e in (0, 10, 13, 61) or not out and e in (46, 9, 32):
            out += b"=" + bytes([(e + 64) & 255])
        else:
            out.append(e)
    return bytes(out)


def yenc(data, name=NAME, line=128, part=False):
    rows = [data[i:i + line] for i in range(0, len(data), line)]
    crc = b"%08x" % zlib.crc32(data)
    first = b"=ybegin %sline=%d size=%d name=%s" % (b"part=1 total=1 " if part else b"", line,
                                                  len(data), name)
    last = b"=yend size=%d %s=%s" % (len(data), b"part=1 pcrc32" if part else b"crc32", crc)
    inside = [b"=ypart begin=1 end=%d" % len(data)] if part else []
    return lines(first, *inside, *map(yenc_line, rows), last)


def _crc_binhex(data):
    return struct.pack(">H", binascii.crc_hqx(data, 0))


def binhex(data, name=NAME, note=True):
    """BinHex 4.0 (RFC 1741), without run length encoding but for the escape."""
    table = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
    first = bytes([len(name)]) + name + b"\0" + b"TEXTttxt" + struct.pack(">HII", 0, len(data), 0)
    raw = first + _crc_binhex(first) + data + _crc_binhex(data) + _crc_binhex(b"")
    raw = raw.replace(b"\x90", b"\x90\x00")
    bits = "".join(f"{c:08b}" for c in raw)
    bits += "0" * (-len(bits) % 6)
    text = b":" + bytes(table[int(bits[i:i + 6], 2)] for i in range(0, len(bits), 6)) + b":"
    rows = [text[i:i + 64] for i in range(0, len(text), 64)]
    return lines(*([b"(This file must be converted with BinHex 4.0)", b""] if note else []), *rows)


# --- small files of other formats ------------------------------------------------


@functools.cache
def jpeg():
    """The least that file(1) calls a JPEG picture."""
    return (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x48\x00\x48\x00\x00" +
            b"\xff\xfe\x00\x12" + b"a small picture." + b"\xff\xdb\x00\x43\x00" + bytes([8] * 64) +
            b"\xff\xd9")
