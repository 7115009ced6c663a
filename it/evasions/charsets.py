# SPDX-License-Identifier: ISC
"""Texts in charsets whose bytes are not those of ASCII."""
import base64

from .craft import attached, b64, fields, letter, mixed, note, qp, trick, uu, whole, yenc
from .encodings import encoded

K = "charset"


def text(body, charset, encoding=b"base64", ctype=b"text/plain"):
    coded = b64(body) if encoding == b"base64" else qp(body) if encoding else body
    return letter(fields(content_type=ctype + b"; charset=" + charset,
                         content_transfer_encoding=encoding or b"8bit"), coded)


def utf7(data):
    """Every character as base64, which no encoder needs to do and every decoder reads."""
    return b"".join(b"+" + base64.b64encode(bytes([0, c])).rstrip(b"=") + b"-" for c in data)


@trick(K, "UTF-16 with a byte order mark, little endian: clients show the letters, signatures see "
          "NULs between them")
def utf16_text(data):
    return text(b"\xff\xfe" + data.decode().encode("utf-16-le"), b"utf-16")


@trick(K, "UTF-16BE, quoted-printable")
def utf16be_text(data):
    return text(data.decode().encode("utf-16-be"), b"utf-16be", b"quoted-printable")


@trick(K, "UTF-32")
def utf32_text(data):
    return text(data.decode().encode("utf-32"), b"utf-32")


@trick(K, "UTF-7 with every letter encoded: Outlook and others still read it")
def utf7_text(data):
    return text(utf7(data), b"utf-7", b"")


@trick(K, "UTF-16 said to be UTF-8; the byte order mark wins in clients")
def utf16_said_utf8(data):
    return text(b"\xff\xfe" + data.decode().encode("utf-16-le"), b"utf-8")


@trick(K, "a text attachment in UTF-16, opened by an editor")
def utf16_attached(data):
    return encoded(b64(b"\xff\xfe" + data.decode().encode("utf-16-le")), b"base64",
                   ctype=b"text/plain; charset=utf-16", name=b"notes.txt")


@trick(K, "a page in UTF-16 that its meta element calls UTF-8")
def utf16_html(data):
    html = "<html><meta charset=utf-8><pre>" + data.decode() + "</pre></html>"
    return text(b"\xff\xfe" + html.encode("utf-16-le"), b"utf-16", ctype=b"text/html")


@trick(K, "a data: URI in a page in UTF-16")
def utf16_data_uri(data):
    html = "<a href=\"data:application/octet-stream;base64," + \
        base64.b64encode(data).decode() + "\">x</a>"
    return text(html.encode("utf-16"), b"utf-16", ctype=b"text/html")


@trick(K, "uuencode in a text in UTF-16: clients convert first and find the file then")
def utf16_uuencode(data):
    return text(("Hello\r\n" + uu(data).decode()).encode("utf-16"), b"utf-16")


@trick(K, "uuencode in a text in UTF-7")
def utf7_uuencode(data):
    return text(utf7(b"Hello\r\n" + uu(data)), b"utf-7", b"")


@trick(K, "character references in HTML for every letter: the page shows the string",
       nobody="it is shown, but it is no file that could be opened")
def html_references(data):
    html = b"<html><pre>" + b"".join(b"&#%d;" % c for c in data) + b"</pre></html>\r\n"
    return text(html, b"us-ascii", b"", b"text/html")


@trick(K, "tags and comments between the letters of HTML",
       nobody="it is shown, but it is no file that could be opened")
def html_comments(data):
    html = b"<html><pre>" + b"<!-- x -->".join(b"&lt;" if c == 60 else bytes([c]) for c in data)
    return text(html + b"</pre></html>\r\n", b"us-ascii", b"quoted-printable", b"text/html")


@trick(K, "an escape sequence of ISO-2022-JP in front, so that a reader must know how to leave it")
def iso2022_text(data):
    return text(b"\x1b$B$3$s\x1b(B " + data, b"iso-2022-jp")


@trick(K, "EBCDIC: Python reads it, no mail client that we know", nobody="not shown by clients")
def ebcdic_text(data):
    return text(data.decode().encode("cp037"), b"ebcdic-cp-us")


@trick(K, "a charset that nobody knows: the bytes as they are")
def unknown_charset(data):
    return encoded(b64(data), b"base64", ctype=b"text/plain; charset=x-nobody-knows")
