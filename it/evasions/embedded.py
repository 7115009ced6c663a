# SPDX-License-Identifier: ISC
"""Files without MIME: uuencode, yEnc, BinHex, in texts or as encodings of their own."""
import zlib

from .craft import (CRLF, attached, b64, binhex, fields, head, in_zip, letter, lines, mixed, note,
                    padded, qp, trick, uu, uu_lines, whole, yenc,
                    yenc_line)
from .encodings import encoded

K = "embedded"
TEXT = b"Hello,\r\n\r\nhere is the file.\r\n\r\n"
BYE = b"\r\nRegards,\r\nCarol\r\n"


def plain(body, mime=False, extra=b""):
    """A message of text alone, as before MIME."""
    return letter(extra, body, mime=mime)


@trick(K, "uuencode in a message without MIME: Outlook, Thunderbird, Pine show an attachment")
def uu_in_old_message(data):
    return plain(TEXT + uu(data) + BYE)


@trick(K, "uuencode in text/plain of a MIME message: Outlook shows an attachment")
def uu_in_plain_text(data):
    return plain(TEXT + uu(data) + BYE, True, b"Content-Type: text/plain; charset=us-ascii\r\n")


@trick(K, "uuencode in the text part of a multipart")
def uu_in_part(data):
    return whole(mixed(note(TEXT + uu(data) + BYE), note(b"second\r\n")))


@trick(K, "a zip in uuencode, whose content no signature sees in the raw message")
def uu_zip_in_text(data):
    return plain(TEXT + uu(in_zip(data), b"notes.zip") + BYE)


@trick(K, "declared x-uuencode")
def uu_declared(data):
    return encoded(uu(data), b"x-uuencode")


@trick(K, "declared uuencode, without x-")
def uu_declared_plain(data):
    return encoded(uu(data), b"uuencode")


@trick(K, "declared x-uue")
def uu_declared_uue(data):
    return encoded(uu(data), b"x-uue")


@trick(K, "declared, but the begin line is missing: Python decodes nothing, others all")
def uu_declared_without_begin(data):
    return encoded(lines(*uu_lines(data), b"`", b"end"), b"x-uuencode")


@trick(K, "no end line: clients take what there is, clamd waits for the end")
def uu_without_end(data):
    return plain(TEXT + uu(data, end=False))


@trick(K, "blanks, not backticks, for zero")
def uu_blanks(data):
    return plain(TEXT + uu(data + bytes(30), backtick=False) + BYE)


@trick(K, "blanks at line ends were stripped on the way: decoders fill up")
def uu_blanks_stripped(data):
    body = uu(data + bytes(30), backtick=False)
    return plain(TEXT + CRLF.join(row.rstrip() for row in body.split(CRLF)) + BYE)


@trick(K, "short lines of odd lengths")
def uu_odd_lines(data):
    return plain(TEXT + uu(data, width=7) + BYE)


@trick(K, "a checksum character behind each line, as some encoders write")
def uu_checksums(data):
    rows = [row + b"!" for row in uu_lines(data)]
    return plain(TEXT + lines(b"begin 644 notes.dat", *rows, b"`", b"end") + BYE)


@trick(K, "a mode of four digits and a name with blanks")
def uu_mode_of_4(data):
    return plain(TEXT + uu(data, b"my notes (2).dat").replace(b"begin 644", b"begin 0644") + BYE)


@trick(K, "two beginnings: the first has nothing behind it")
def uu_begun_twice(data):
    return plain(TEXT + b"begin 644 first.dat\r\n" + uu(data) + BYE)


@trick(K, "a harmless file ends before the file begins")
def uu_second_file(data):
    return plain(TEXT + uu(b"nothing here") + CRLF + uu(data) + BYE)


@trick(K, "empty lines among the lines")
def uu_empty_lines(data):
    return plain(TEXT + uu(data, width=12).replace(CRLF, b"\r\n\r\n") + BYE)


@trick(K, "blanks in front of the begin line",
       nobody="no client takes it for a beginning, and uudeview neither")
def uu_indented(data):
    return plain(TEXT + b"".join(b"  " + row + CRLF for row in uu(data).split(CRLF)[:-1]) + BYE)


@trick(K, "begin-base64, the POSIX spelling")
def uu_begin_base64(data):
    return plain(TEXT + b"begin-base64 644 notes.dat\r\n" + b64(data) + b"====\r\n" + BYE)


@trick(K, "uuencode in a text that is base64 itself")
def uu_in_base64_text(data):
    return plain(b64(TEXT + uu(data) + BYE), True,
                 fields(content_type=b"text/plain; charset=utf-8", content_transfer_encoding=b"base64"))


@trick(K, "uuencode in a text that is quoted-printable")
def uu_in_qp_text(data):
    return plain(qp(TEXT + uu(data) + BYE), True,
                 fields(content_type=b"text/plain", content_transfer_encoding=b"quoted-printable"))


@trick(K, "uuencode within uuencode, as forwarded text")
def uu_in_uu(data):
    return plain(TEXT + uu(uu(in_zip(data), b"notes.zip"), b"notes.txt") + BYE)


@trick(K, "quote marks in front of every line, as in an answer",
       nobody="no client undoes quote marks before it looks for files")
def uu_quoted(data):
    return plain(b"".join(b"> " + row + CRLF for row in (TEXT + uu(data)).split(CRLF)))


@trick(K, "uuencode in HTML's text", nobody="clients look for it in plain text alone")
def uu_in_html(data):
    return plain(b"<html><pre>\r\n" + uu(data) + b"</pre></html>\r\n", True,
                 b"Content-Type: text/html\r\n")


@trick(K, "uuencode in the preamble of a multipart, for readers without MIME")
def uu_in_preamble(data):
    body = mixed(note()).replace(CRLF + CRLF, CRLF + CRLF + TEXT + uu(data) + BYE, 1)
    return whole(body)


@trick(K, "yEnc in text, as newsreaders and Thunderbird show it", binary=True)
def yenc_in_text(data):
    return plain(TEXT + yenc(data) + BYE, True, b"Content-Type: text/plain; charset=utf-8\r\n")


@trick(K, "a zip in yEnc", binary=True)
def yenc_zip_in_text(data):
    return plain(TEXT + yenc(in_zip(data), b"notes.zip") + BYE)


@trick(K, "yEnc with =ypart, the only part", binary=True)
def yenc_part(data):
    return plain(TEXT + yenc(data, part=True) + BYE)


@trick(K, "yEnc without its end", binary=True)
def yenc_without_end(data):
    return plain(TEXT + yenc(data).rpartition(b"=yend")[0])


@trick(K, "yEnc with more escapes than it needs: every critical and some other bytes", binary=True)
def yenc_escapes(data):
    row = b"".join(b"=" + bytes([(c + 42 + 64) & 255]) for c in data)
    return plain(TEXT + lines(b"=ybegin line=128 size=%d name=notes.dat" % len(data), row,
                              b"=yend size=%d" % len(data)) + BYE)


@trick(K, "declared x-yencode as an encoding", binary=True,
       nobody="an encoding that no client of ours knows by that name")
def yenc_declared_other(data):
    return encoded(yenc(data), b"x-yencode")


@trick(K, "declared x-yenc as an encoding", binary=True)
def yenc_declared(data):
    return encoded(yenc(data), b"x-yenc")


@trick(K, "BinHex in text: Apple Mail, Eudora and Thunderbird decode")
def binhex_in_text(data):
    return plain(TEXT + binhex(data) + BYE)


@trick(K, "a zip in BinHex in text")
def binhex_zip_in_text(data):
    return plain(TEXT + binhex(in_zip(padded(data)), b"notes.zip") + BYE)


@trick(K, "application/mac-binhex40 as an attachment (RFC 1741)")
def binhex_attached(data):
    return encoded(binhex(data), b"7bit", ctype=b"application/mac-binhex40", name=b"notes.hqx")


@trick(K, "mac-binhex40 said to be the encoding")
def binhex_declared(data):
    return encoded(binhex(data), b"mac-binhex40")


@trick(K, "BinHex within base64")
def binhex_in_base64(data):
    return encoded(b64(binhex(data)), b"base64", ctype=b"application/mac-binhex40",
                   name=b"notes.hqx")


@trick(K, "uuencode with bare LF in an old message", binary=True)
def uu_bare_lf(data):
    return plain(TEXT + uu(data, eol=b"\n") + BYE)


@trick(K, "base64 in a message without any MIME field",
       nobody="shown as letters; nothing says that it is base64")
def base64_without_mime(data):
    return head() + CRLF + TEXT + b64(data)


@trick(K, "a MIME part's fields within a plain text", nobody="text to every reader")
def mime_in_plain_text(data):
    return plain(TEXT + attached(b64(data)))


@trick(K, "yEnc in two parts within one text: newsreaders join them", binary=True)
def yenc_two_parts(data):
    half = len(data) // 2
    out = TEXT
    for n, (begin, piece) in enumerate(((0, data[:half]), (half, data[half:])), 1):
        out += lines(b"=ybegin part=%d total=2 line=128 size=%d name=notes.dat" % (n, len(data)),
                     b"=ypart begin=%d end=%d" % (begin + 1, begin + len(piece)),
                     *[yenc_line(piece[i:i + 128]) for i in range(0, len(piece), 128)],
                     b"=yend size=%d part=%d pcrc32=%08x" % (len(piece), n, zlib.crc32(piece)))
    return plain(out + BYE)
