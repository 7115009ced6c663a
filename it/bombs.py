# SPDX-License-Identifier: ISC
"""Messages that cost their reader far more than their sender: made piece by piece when
they are sent, never on a disk.  BOMBS is the table."""
import base64
import bz2
import functools
import gzip
import lzma
import struct
import tarfile
import zlib

from evasions.craft import (B, CRLF, attached, b64, fields, head, lines, mixed, note, parts, whole,
                            with_type)

K, M, G = 1 << 10, 1 << 20, 1 << 30
MOST = 24 * M           # [smtp] max_size as it is set by default
ALMOST = 23 * M


class Bomb:
    """`pieces()` gives the message; `answers` are the codes that are honest."""

    def __init__(self, make, why, answers):
        self.name, self.make, self.why, self.answers = make.__name__, make, why, answers

    def pieces(self):
        made = self.make()
        return [made] if isinstance(made, bytes) else made


BOMBS = []
ANY = ("250", "550", "552")
TOO_LARGE = ("552",)


def bomb(why, answers=ANY):
    def enter(make):
        BOMBS.append(Bomb(make, why, answers))
        return make
    return enter


def sent(content, name):
    return whole(mixed(note(), attached(b64(content), name=name)))


# --- archives --------------------------------------------------------------------


@functools.cache
def megabyte(block=bytes(M)):
    """A megabyte deflated so that it can be repeated."""
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return c.compress(block) + c.flush(zlib.Z_FULL_FLUSH)


def deflated(megabytes, block=bytes(M)):
    """Raw deflate of so many megabytes, without making them."""
    return megabyte(block) * megabytes + b"\x03\x00"


def gz(raw, size):
    """A gzip file around raw deflate; its checksum is none that anybody gets to."""
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + raw + struct.pack("<II", 0, size & 0xffffffff)


class Zip:
    """A zip whose every field is ours to choose."""

    def __init__(self):
        self.body, self.rows, self.count = bytearray(), bytearray(), 0

    def local(self, name, packed, size, method=8, crc=0):
        at = len(self.body)
        self.body += struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, method, 0, 0x21, crc,
                                 len(packed), size, len(name), 0) + name + packed
        return at

    def row(self, name, at, packed_size, size, method=8, crc=0):
        self.rows += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, method, 0, 0x21, crc,
                                 packed_size, size, len(name), 0, 0, 0, 0, 0, at) + name
        self.count += 1

    def add(self, name, packed, size, method=8, crc=0):
        at = self.local(name, packed, size, method, crc)
        self.row(name, at, len(packed), size, method, crc)

    def bytes(self):
        return bytes(self.body + self.rows) + struct.pack(
            "<4sHHHHIIH", b"PK\5\6", 0, 0, self.count & 0xffff, self.count & 0xffff, len(self.rows),
            len(self.body), 0)


@bomb("a zip of 16 zips of 16 zips…, five levels, 512 MB in each of the innermost")
def zip_like_42():
    z = Zip()
    z.add(b"0.dll", deflated(512), 512 * M)
    content = z.bytes()
    for level in range(5):
        z, packed = Zip(), zlib.compress(content, 9)[2:-4]
        for n in range(16):
            z.add(b"lib %d.zip" % n, packed, len(content), crc=zlib.crc32(content))
        content = z.bytes()
    return sent(content, b"42.zip")


@bomb("one file of 10 GB in 10 MB of zip")
def zip_10_gigabytes():
    z = Zip()
    z.add(b"zeros", deflated(10 * K), 10 * G & 0xffffffff)
    return sent(z.bytes(), b"zeros.zip")


@bomb("60,000 directory rows for one and the same packed file: 60,000 times 100 MB")
def zip_overlapping():
    z, packed = Zip(), deflated(100)
    at = z.local(b"a", packed, 100 * M)
    for n in range(60000):
        z.row(b"%d" % n, at, len(packed), 100 * M)
    return sent(z.bytes(), b"overlap.zip")


@bomb("each packed file holds the local header and the bytes of the next (Fifield), 3,000 of them")
def zip_quoting():
    z, packed, count = Zip(), deflated(8), 3000
    names = [b"%04d" % n for n in range(count)]
    head_size = 30 + 4
    quote = struct.pack("<BHH", 0, head_size, head_size ^ 0xffff)
    places, headers = [], []
    sizes, at = [len(packed)], 0
    for _ in range(count - 1):
        sizes.append(sizes[-1] + len(quote) + head_size)
    sizes.reverse()
    for n in range(count):
        headers.append(struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 0x21, 0, sizes[n],
                                   8 * M + (count - 1 - n) * head_size, 4, 0) + names[n])
        places.append(at)
        at += head_size + len(quote)
    z.body += quote.join(headers) + packed
    for n in range(count):
        z.row(names[n], places[n], sizes[n], 8 * M)
    return sent(z.bytes(), b"quoting.zip")


@bomb("a zip of 65,000 empty members")
def zip_65000_members():
    z = Zip()
    for n in range(65000):
        z.add(b"folder/with/a/name/%d.txt" % n, b"", 0, 0)
    return sent(z.bytes(), b"many.zip")


@bomb("10 GB of zeros in gzip")
def gzip_10_gigabytes():
    return sent(gz(deflated(10 * K), 10 * G), b"zeros.gz")


@bomb("gzip in gzip: a few kilobytes are 100 GB")
def gzip_in_gzip():
    inner = gz(deflated(10 * K), 10 * G)
    return sent(gzip.compress(inner * 10, 9), b"zeros.gz.gz")


@bomb("gzip a hundred times around a text")
def gzip_100_times():
    content = b"Hello\n"
    for _ in range(100):
        content = gzip.compress(content)
    return sent(content, b"onion.gz")


@bomb("zip a hundred times around a text")
def zip_100_times():
    content = b"Hello\n"
    for n in range(100):
        z = Zip()
        z.add(b"%d.zip" % n, content, len(content), 0, zlib.crc32(content))
        content = z.bytes()
    return sent(content, b"onion.zip")


@bomb("streams of bzip2 of 45 MB each, 20,000 of them in a row")
def bzip2_streams():
    return sent(bz2.compress(bytes(45 * M)) * 20000, b"zeros.bz2")


@bomb("zstd blocks of one repeated byte: 4 bytes are 128 KB, 16 MB are half a terabyte")
def zstd_blocks():
    block = (128 * K << 3 | 2).to_bytes(3, "little") + b"\0"
    return sent(b"\x28\xb5\x2f\xfd\0\x58" + block * (3 * M), b"zeros.zst")


@bomb("a zstd frame that wants a window of two terabytes")
def zstd_window():
    block = (1000 << 3 | 3).to_bytes(3, "little") + b"\0"
    return sent(b"\x28\xb5\x2f\xfd\0\xff" + block, b"window.zst")


@bomb("an xz that wants a dictionary of 4 GB")
def xz_dictionary():
    content = bytearray(lzma.compress(b"Hello " * 1000))
    size = (content[12] + 1) * 4
    at = content.index(b"\x21\x01", 12) + 2
    content[at] = 40
    content[12 + size - 4:12 + size] = struct.pack("<I", zlib.crc32(content[12:12 + size - 4]))
    return sent(bytes(content), b"dictionary.xz")


@bomb("xz of 10 GB of zeros")
def xz_zeros():
    small = lzma.compress(bytes(64 * M), preset=0)
    return sent(small * 160, b"zeros.xz")


@bomb("an .lzma that wants a dictionary of 4 GB and says that it holds everything there is")
def lzma_dictionary():
    content = bytearray(lzma.compress(b"Hello " * 1000, lzma.FORMAT_ALONE))
    content[1:5] = b"\xff\xff\xff\xff"
    content[5:13] = b"\xff\xff\xff\xff\xff\xff\xff\x7f"
    return sent(bytes(content), b"dictionary.lzma")


def seven_number(n):
    """7z's own numbers: as many leading ones as bytes follow."""
    for extra in range(8):
        if n < 1 << 7 * (extra + 1):
            first = (0xff00 >> extra & 0xff) | n >> 8 * extra
            return bytes([first]) + (n & (1 << 8 * extra) - 1).to_bytes(extra, "little")
    return b"\xff" + n.to_bytes(8, "little")


def seven_zip(packed, properties, size, name="a"):
    """One file, LZMA with these five bytes of properties."""
    n = seven_number
    header = (b"\x01\x04" + b"\x06" + n(0) + n(1) + b"\x09" + n(len(packed)) + b"\x00" +
              b"\x07\x0b" + n(1) + b"\x00" + n(1) + b"\x23\x03\x01\x01" + n(5) + properties +
              b"\x0c" + n(size) + b"\x00" + b"\x08\x00\x00" + b"\x05" + n(1) + b"\x11" +
              n(1 + 2 * len(name) + 2) + b"\x00" + name.encode("utf-16-le") + b"\0\0" + b"\x00\x00")
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\x04" + struct.pack("<I", zlib.crc32(start)) + start + packed + header


@bomb("a 7z that wants a dictionary of 4 GB")
def sevenzip_dictionary():
    alone = lzma.compress(b"Hello " * 1000, lzma.FORMAT_ALONE)
    return sent(seven_zip(alone[13:], alone[:1] + b"\xff\xff\xff\xff", 6000), b"dictionary.7z")


@bomb("a 7z that says its file has 16 exabytes")
def sevenzip_size():
    alone = lzma.compress(b"Hello " * 1000, lzma.FORMAT_ALONE)
    return sent(seven_zip(alone[13:], alone[:5], (1 << 62) - 1), b"size.7z")


@bomb("a RAR 5 that says its member has 16 exabytes")
def rar5_size():
    from evasions.archives import rar5_block, vint
    member = (vint(2) + vint(2) + vint(1000) + vint(0) + vint((1 << 62) - 1) + vint(0x20) +
              vint(0x3f << 10 | 3 << 7) + vint(1) + vint(1) + b"a")
    return sent(b"Rar!\x1a\7\1\0" + rar5_block(vint(1) + vint(0) + vint(0)) + rar5_block(member) +
                bytes(1000) + rar5_block(vint(5) + vint(0) + vint(0)), b"size.rar")


@bomb("a tar of a million empty members, gzipped")
def tar_million_members():
    block = b"".join(tarfile.TarInfo(f"{n}").tobuf(tarfile.USTAR_FORMAT) for n in range(2048))
    return sent(gz(deflated(500, block), 500 * M), b"many.tar.gz")


@bomb("a tar within a tar, 500 times")
def tar_500_deep():
    content = b"Hello\n"
    for n in range(500):
        info = tarfile.TarInfo("a.tar")
        info.size = len(content)
        content = info.tobuf() + content + bytes(-len(content) % 512) + bytes(1024)
    return sent(content, b"deep.tar")


@bomb("a PDF whose stream is deflated twice: 20 GB")
def pdf_stream():
    stream = zlib.compress(b"\x78\x9c" + deflated(20 * K), 9)
    return sent(b"%PDF-1.7\n1 0 obj\n<< /Length " + b"%d" % len(stream) +
                b" /Filter [/FlateDecode /FlateDecode] >>\nstream\n" + stream +
                b"\nendstream\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n", b"stream.pdf")


@bomb("a Word document (a zip) whose text has 2 GB")
def docx_text():
    z = Zip()
    z.add(b"[Content_Types].xml", b"<Types/>", 8, 0)
    z.add(b"word/document.xml", deflated(2 * K, b"<w:p/>" * 174762 + b"    "), 2 * G)
    return sent(z.bytes(), b"letter.docx")


# --- structure -------------------------------------------------------------------


def rfc822_deep(levels):
    one = b"Content-Type: message/rfc822\r\n\r\n"
    return head() + b"MIME-Version: 1.0\r\n" + one * levels + b"Subject: end\r\n\r\nHello\r\n"


@bomb("a message in a message, 1,000 times")
def rfc822_1000_deep():
    return rfc822_deep(1000)


@bomb("the same, as deep as 23 MB go")
def rfc822_as_deep_as_it_goes():
    return rfc822_deep(ALMOST // 34)


@bomb("each message is base64 in the next one, 25 times")
def rfc822_base64_in_base64():
    message = head() + CRLF + b"Hello " * 500 + CRLF
    for _ in range(25):
        message = head() + (b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                            ) + b64(message)
    return message


@bomb("100,000 parts")
def parts_100000():
    return with_type(b'multipart/mixed; boundary="%s"' % B, parts(*[CRLF + b"x"] * 100000))


@bomb("9,900 parts: just within the limit, each an attachment with a name")
def parts_9900():
    return whole(mixed(*[attached(b"QQ==", name=b"%d.txt" % n) for n in range(9900)]))


@bomb("two million empty parts")
def parts_2_million():
    return with_type(b"multipart/mixed; boundary=b", b"--b\r\n\r\n" * 2000000)


@bomb("multiparts 60 deep, none of them closed, each boundary the beginning of the next, and a "
      "million lines that any of them might be")
def boundaries_prefixes():
    body = b""
    for n in range(1, 61):
        body += b"--" + b"x" * (n - 1) + CRLF if n > 1 else b""
        body += b"Content-Type: multipart/mixed; boundary=" + b"x" * n + b"\r\n\r\n"
    line = b"--" + b"x" * 59 + b"y\r\n"
    return head() + b"MIME-Version: 1.0\r\n" + body + line * (20 * M // len(line))


@bomb("10,000 lines of two dashes and a beginning of the boundary")
def boundaries_almost():
    boundary = b"b" * 70
    return with_type(b'multipart/mixed; boundary="' + boundary + b'"',
                     lines(*[b"--" + b"b" * (n % 70) for n in range(10000)]))


@bomb("all multiparts have the same boundary, 60 deep, and 200,000 delimiters")
def boundaries_same():
    body = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    return head() + b"MIME-Version: 1.0\r\n" + (body + b"--b\r\n") * 60 + body + \
        b"--b\r\n\r\nx\r\n--b--\r\n" * 200000


@bomb("multipart/mixed in which every part is a multipart of another boundary, never closed: "
      "every line must be compared with all of them")
def boundaries_10000_open():
    rows = [b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
            for n in range(10000)]
    return head() + b"MIME-Version: 1.0\r\n" + b"".join(rows) + b"--b\r\n" * (10 * M // 5)


@bomb("two boundaries, two types, two encodings: every reading of 9,000 parts is another one")
def readings():
    field = (b"Content-Type: multipart/mixed; boundary=a; boundary=b; boundary*0=c; boundary*1=d\r\n"
             b"Content-Type: multipart/mixed; boundary=e\r\nContent-Transfer-Encoding: base64\r\n"
             b"Content-Transfer-Encoding: quoted-printable\r\n\r\n")
    body = b"".join(b"--" + b"abe"[n % 3:n % 3 + 1] + b" \r\n" + (field if n % 50 == 0 else CRLF) +
                    b"eA==\r\n" for n in range(100000))
    return head() + field + body


@bomb("a header of 64 MB, in ordinary lines", TOO_LARGE)
def header_64_megabytes():
    yield head()
    line = b"X-Filler: " + b"a" * 60 + CRLF
    for _ in range(64):
        yield line * (M // len(line))
    yield CRLF + b"Hello\r\n"


@bomb("a header of 23 MB")
def header_23_megabytes():
    line = b"X-Filler: " + b"a" * 60 + CRLF
    return head() + line * (ALMOST // len(line)) + CRLF + b"Hello\r\n"


@bomb("a million fields of one letter")
def header_million_lines():
    return head() + b"X:y\r\n" * M + CRLF + b"Hello\r\n"


@bomb("one field that is folded a million times")
def header_million_folds():
    return head() + b"Subject: x\r\n" + b" y\r\n" * M + CRLF + b"Hello\r\n"


@bomb("200,000 header lines in each of 20 parts")
def header_lines_in_parts():
    part = b"X:y\r\n" * 200000 + CRLF + b"Hello\r\n"
    return whole(mixed(*[part] * 20))


@bomb("a field name of 900 KB, and no line end in 20 MB of body")
def lines_without_end():
    return head() + b"X" * 900 * K + b": y\r\n\r\n" + b"a" * 20 * M + CRLF


@bomb("100,000 recipients in To")
def to_100000():
    rows = b",\r\n ".join(b"a%05d@x.example" % n for n in range(48000))
    return (head() + b"Cc: " + rows + CRLF + CRLF + b"Hello\r\n")


@bomb("2 MB of recipients, past the header's limit")
def to_2_megabytes():
    return head() + b"Cc: " + b",\r\n ".join(b"a%05d@x.example" % n for n in range(100000)) + \
        CRLF + CRLF + b"Hello\r\n"


@bomb("comments in comments in From, 400,000 deep")
def comments_deep():
    return head() + b"Sender: " + (b"(" * 900 + b"\r\n ") * 440 + b"a@b.example\r\n\r\nHello\r\n"


@bomb("groups, routes, quotes and commas without end in an address list")
def addresses_broken():
    return head() + b"Cc: " + (b'"a\\" <@b,@c:;,<<>>:;' * 40 + b"\r\n ") * 900 + CRLF + CRLF + \
        b"Hello\r\n"


@bomb("a million encoded words in Subject")
def words_million():
    row = b" " + b"=?utf-8?q?a?= " * 70 + CRLF
    return head() + b"Comments: x\r\n" + row * (M // 70) + CRLF + b"Hello\r\n"


@bomb("60,000 encoded words within the header's limit")
def words_60000():
    row = b" " + b"=?utf-8?q?a?= " * 70 + CRLF
    return head(b"x\r\n" + row * 857 + b" x") + CRLF + b"Hello\r\n"


@bomb("one encoded word that never ends")
def word_without_end():
    return head(b"=?utf-8?B?" + b"\r\n " + (b"QUFB" * 240 + b"\r\n ") * 900 + b" x") + CRLF + b"Hello\r\n"


@bomb("a parameter in 100,000 continuations")
def continuations_100000():
    rows = b"".join(b";\r\n x*%d=a" % n for n in range(70000))
    return with_type(b"multipart/mixed; boundary=b" + rows, parts(note(), boundary=b"b"))


@bomb("the continuations of 50,000 parameters, backwards, in each of 20 parts")
def continuations_backwards():
    rows = b"".join(b";\r\n a*%d=x" % n for n in range(50000, 0, -1))
    part = b"Content-Disposition: attachment" + rows + CRLF + CRLF + b"Hello\r\n"
    return whole(mixed(*[part] * 20))


@bomb("900 KB of semicolons in Content-Type")
def semicolons():
    return with_type(b"multipart/mixed" + (b";" * 900 + CRLF + b" ") * 1000 + b"; boundary=b",
                     parts(note(), boundary=b"b"))


# --- encodings and texts ---------------------------------------------------------

BASE64 = head() + b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n" \
    b"Content-Transfer-Encoding: base64\r\n\r\n"


def body(line, size=ALMOST, start=BASE64):
    return start + line * (size // len(line))


@bomb("1 GB of base64 padding", TOO_LARGE)
def padding_1_gigabyte():
    yield BASE64
    piece = (b"=" * 76 + CRLF) * 13443
    for _ in range(1024):
        yield piece


@bomb("1 GB of what is no base64", TOO_LARGE)
def junk_1_gigabyte():
    yield BASE64
    piece = (b"!" * 76 + CRLF) * 13443
    for _ in range(1024):
        yield piece


@bomb("23 MB of base64 padding")
def padding_23_megabytes():
    return body(b"=" * 76 + CRLF)


@bomb("23 MB of junk in base64")
def junk_23_megabytes():
    return body(b"!" * 76 + CRLF)


@bomb("23 MB of groups with padding, each a stream of its own")
def base64_groups():
    return body(b"QQ==" * 19 + CRLF)


@bomb("23 MB of empty lines")
def empty_lines():
    return body(CRLF, start=head() + CRLF)


@bomb("23 MB of soft line breaks")
def soft_line_breaks():
    return body(b"=\r\n", start=with_type(b"text/html\r\nContent-Transfer-Encoding: quoted-printable",
                                         b""))


@bomb("a million beginnings of uuencode")
def uu_million():
    return body(b"begin 644 a\r\n", M * 13, head() + CRLF)


@bomb("a million beginnings and ends of uuencode, each a file")
def uu_million_files():
    return body(b"begin 644 a\r\n!80``\r\n`\r\nend\r\n", ALMOST, head() + CRLF)


@bomb("a million beginnings of yEnc")
def yenc_million():
    return body(b"=ybegin line=128 size=99999999 name=a\r\n", ALMOST, head() + CRLF)


@bomb("BinHex whose run lengths blow it up 250 times")
def binhex_runs():
    import binascii
    first = b"\x01a\0TEXTttxt" + struct.pack(">HII", 0, 2 * G - 1, 0)
    raw = first + struct.pack(">H", binascii.crc_hqx(first, 0)) + b"A" + b"\x90\xff" * (8 * M)
    table = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
    standard = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text = base64.b64encode(raw[:len(raw) // 3 * 3]).translate(bytes.maketrans(standard, table))
    rows = CRLF.join(text[i:i + 64] for i in range(0, len(text), 64))
    return head() + CRLF + b"(This file must be converted with BinHex 4.0)\r\n\r\n:" + rows + b":\r\n"


def page(text):
    return head() + fields(mime_version=b"1.0", content_type=b"text/html; charset=utf-8") + CRLF + text


@bomb("a million elements in each other")
def html_deep():
    return page(b"<div>\r\n" * M + b"Hello\r\n")


@bomb("three million hidden elements in each other")
def html_hidden_deep():
    return page(b"<b hidden>\r\n" * (ALMOST // 12))


@bomb("an attribute of 20 MB")
def html_attribute():
    return page(b'<a href="' + (b"x" * 900 + CRLF) * 23000 + b'">x</a>\r\n')


@bomb("a million attributes of one element")
def html_attributes():
    return page(b"<a " + b"a=b\r\n" * 4 * M + b">x</a>\r\n")


@bomb("a million links")
def html_links():
    return page(b'<a href="http://x.example/">x</a>\r\n' * 700000)


@bomb("20 MB of '<'")
def html_less_than():
    return page((b"<" * 900 + CRLF) * 23000)


@bomb("comments that never end, a million of them")
def html_comments():
    return page(b"<!-- <\r\n" * (2 * M))


@bomb("20 MB of character references")
def html_references():
    return page((b"&amp;&#60;&notanentity" * 40 + CRLF) * 22000)


@bomb("styles that hide, each with 10,000 declarations")
def html_styles():
    return page((b'<p style="' + b"display:none;" * 70 + b'">\r\n') * 23000)


@bomb("23 MB of text in UTF-7 that shifts at every letter")
def utf7_shifts():
    return body(b"+AEE-" * 18 + CRLF, start=with_type(b"text/plain; charset=utf-7", b""))


@bomb("23 MB of escape sequences of ISO-2022-JP")
def iso2022_escapes():
    return body(b"\x1b$B\x1b(B" * 15 + CRLF, start=with_type(b"text/plain; charset=iso-2022-jp", b""))


@bomb("bytes that exist in no charset")
def bytes_that_do_not_exist():
    return body(b"\xff\xfe\xc0\x80\xed\xa0\x80" * 11 + CRLF, start=with_type(b"text/plain; charset=utf-8",
                                                                   b""))


@bomb("23 MB of different words, for whoever counts them")
def different_words():
    rows = b"".join(b"%07x %07x %07x %07x\r\n" % (n, n * 7, n * 11, n * 13) for n in range(700000))
    return head() + CRLF + rows
