# SPDX-License-Identifier: ISC
"""What ordinary people and programs send: it must be delivered, and hardly score.

ORDINARY names the tricks whose structure is ordinary too: with a harmless file in
them they are delivered."""
import base64
import gzip
import io
import lzma
import struct
import zipfile
import zlib

from .archives import tar
from .craft import CRLF, b64, fields, jpeg, lines, mixed, parts, qp
from .nesting import signed_data, tnef

MAILS = {}

ORDINARY = """
    boundary_continued boundary_folded boundary_all_characters boundary_upper_case
    delimiter_trailing_blanks subtype_unknown inner_never_closed end_missing
    encoding_case encoding_folded message_base64_alone base64_lines_of_998 base64_footer
    base64_empty_lines qp_everything qp_soft_breaks qp_long_lines qp_zip
    uu_in_old_message uu_in_plain_text mime_version_commented type_without_blank
    type_on_next_line type_folded_everywhere field_names_case name_encoded_word
    forwarded forwarded_alone forwarded_5_times forwarded_global eml_as_data_plain
    digest_default in_alternative in_related in_report in_signed smime_opaque tnef_zip
    behind_200_parts zip_plain zip_in_zip_in_zip zip_data_descriptor zip64 zip_bzip2
    tar_gz tar_bz2 tar_xz gz bz2_file xz_file sevenzip cab docx_embedded pdf_embedded
    raw_8bit_in_header mime_version_missing boundary_unquoted_specials
""".split()


def mail(make):
    MAILS[make.__name__] = make
    return make


def top(subject="Meeting on Thursday", sender="Carol Sender <carol@sender.example>", more="",
        to="Alice <alice@example.test>", mime=True, date="Mon, 23 Nov 2026 10:00:00 +0100"):
    """The usual fields; `more` are lines of further ones."""
    return (f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {date}\r\n"
            f"Message-ID: <{zlib.crc32((subject + more + sender).encode()):08x}.mail@sender.example>"
            "\r\n" + "".join(line.strip() + CRLF.decode() for line in more.splitlines() if line.strip())
            + ("MIME-Version: 1.0\r\n" if mime else "")).encode()


WORDS = b"""Dear Alice,

thank you for the figures. I have put them into the table and will bring it on
Thursday; if you would like to have a look at it before, tell me and I send it.
The room is the same as last time.

Kind regards
Carol
-- 
Carol Sender, Sender & Sons
Phone 555-0100
""".replace(b"\n", CRLF)

GERMAN = """Liebe Alice,

schöne Grüße aus Köln! Die Maße der Türen stehen in der Tabelle, das Gerüst wird
am Dienstag aufgebaut. Über den Preis (1.200 €) reden wir noch.

Viele Grüße
Jürgen
"""

HTML = b"""<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head>
<body><p>Dear Alice,</p><p>thank you for the figures. See
<a href="https://www.sender.example/table">the table</a>.</p><p>Carol</p></body></html>
""".replace(b"\n", CRLF)


def plain(text=WORDS, charset=b"us-ascii", cte=b"7bit"):
    return fields(content_type=b"text/plain; charset=" + charset,
                  content_transfer_encoding=cte) + CRLF + text


def html(text=HTML, cte=b"quoted-printable"):
    body = b64(text) if cte == b"base64" else quoted(text) if cte == b"quoted-printable" else text
    return fields(content_type=b'text/html; charset="utf-8"',
                  content_transfer_encoding=cte) + CRLF + body


def quoted(text):
    """Quoted-printable as programs write it: readable."""
    import quopri
    return quopri.encodestring(text.replace(CRLF, b"\n")).replace(b"\n", CRLF)


def alternative(boundary=b"alt", text=None, page=None):
    return mixed(text or plain(), page or html(), boundary=boundary, subtype=b"alternative")


def file(content, name, ctype, disposition=b"attachment", more=b""):
    return (b"Content-Type: " + ctype + b';\r\n name="' + name + b'"\r\nContent-Disposition: ' +
            disposition + b';\r\n filename="' + name + b'"\r\nContent-Transfer-Encoding: base64\r\n' +
            more + CRLF + b64(content))


def pdf():
    return (b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages "
            b"/Kids [] /Count 0 >>\nendobj\nxref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n"
            b"0000000058 00000 n \ntrailer\n<< /Root 1 0 R /Size 3 >>\nstartxref\n107\n%%EOF\n")


def docx():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in (("[Content_Types].xml", '<?xml version="1.0"?><Types xmlns="http://schemas.'
                            'openxmlformats.org/package/2006/content-types"/>'),
                           ("_rels/.rels", '<?xml version="1.0"?><Relationships/>'),
                           ("word/document.xml", "<w:document><w:p>" + "Text. " * 200 + "</w:p>")):
            z.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def png():
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(b"\0\xff\xff\xff")) + chunk(b"IEND", b""))


# --- clients ---------------------------------------------------------------------


@mail
def thunderbird_flowed():
    return top(more="User-Agent: Mozilla Thunderbird\nContent-Language: en-US") + \
        b"Content-Type: text/plain; charset=UTF-8; format=flowed\r\n" \
        b"Content-Transfer-Encoding: 8bit\r\n\r\n" + GERMAN.replace("\n", "\r\n").encode()


@mail
def thunderbird_attachments():
    return top("The offer", more="User-Agent: Mozilla Thunderbird") + \
        b"Content-Type: multipart/mixed; boundary=\"------------Ik4QpDo0jNJ\"\r\n\r\n" \
        b"This is a multi-part message in MIME format.\r\n" + \
        parts(alternative(b"------------EpBx7"), file(pdf(), b"offer.pdf", b"application/pdf"),
              boundary=b"------------Ik4QpDo0jNJ")


@mail
def outlook_word_html():
    page = (b"<html xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:"
            b"office:office\" xmlns:w=\"urn:schemas-microsoft-com:office:word\">\r\n<head>\r\n<meta "
            b"name=Generator content=\"Microsoft Word 15 (filtered medium)\">\r\n<!--[if !mso]><style>"
            b"v\\:* {behavior:url(#default#VML);}</style><![endif]-->\r\n<style><!--\r\n@font-face\r\n"
            b"\t{font-family:Calibri;}\r\np.MsoNormal {margin:0cm; font-size:11.0pt;}\r\n--></style>"
            b"</head>\r\n<body lang=DE link=\"#0563C1\"><div class=WordSection1>"
            b"<p class=MsoNormal>Dear Alice,<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p>"
            b"<p class=MsoNormal>see below. <img width=10 src=\"cid:image001.png@01D9F0\"></p></div>"
            b"</body></html>\r\n")
    related = mixed(alternative(b"_002_alt_", page=html(page)),
                    file(png(), b"image001.png", b"image/png", b"inline",
                         b"Content-ID: <image001.png@01D9F0>\r\nContent-Description: image001.png\r\n"),
                    boundary=b"_003_DB9P_", subtype=b"related")
    return top("AW: Meeting", more="""
        Thread-Topic: Meeting
        Thread-Index: AQHZ8Xz0aYbJ0Q==
        X-MS-Has-Attach: yes
        Accept-Language: de-DE, en-US
        In-Reply-To: <1@example.test>
        References: <1@example.test>""") + mixed(
            related, file(docx(), b"Letter.docx", b"application/vnd.openxmlformats-officedocument."
                          b"wordprocessingml.document"), boundary=b"_004_DB9PR10MB_")


@mail
def outlook_winmail():
    return top("Meeting notes", more="X-MS-TNEF-Correlator: <x@y>") + mixed(
        plain(), file(tnef(docx(), b"notes.docx"), b"winmail.dat", b"application/ms-tnef"))


@mail
def outlook_invitation():
    calendar = CALENDAR.encode()
    return top("Project meeting", more="Content-Class: urn:content-classes:calendarmessage") + mixed(
        plain(), html(), b"Content-Type: text/calendar; charset=\"utf-8\"; method=REQUEST\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(calendar), boundary=b"_000_x_",
        subtype=b"alternative")


CALENDAR = """BEGIN:VCALENDAR\r
METHOD:REQUEST\r
PRODID:-//Any//Any//EN\r
VERSION:2.0\r
BEGIN:VEVENT\r
UID:1234@sender.example\r
DTSTAMP:20261123T090000Z\r
DTSTART:20261126T090000Z\r
DTEND:20261126T100000Z\r
SUMMARY:Project meeting\r
ORGANIZER;CN=Carol:mailto:carol@sender.example\r
ATTENDEE;CN=Alice;RSVP=TRUE:mailto:alice@example.test\r
END:VEVENT\r
END:VCALENDAR\r
"""


@mail
def google_invitation():
    return top("Invitation: Project meeting") + mixed(
        mixed(plain(charset=b'"UTF-8"; format=flowed; delsp=yes', text=b64(WORDS), cte=b"base64"),
              html(), b"Content-Type: text/calendar; charset=\"UTF-8\"; method=REQUEST\r\n"
              b"Content-Transfer-Encoding: 7bit\r\n\r\n" + CALENDAR.encode(),
              boundary=b"000000000000b1", subtype=b"alternative"),
        file(CALENDAR.encode(), b"invite.ics", b"application/ics"), boundary=b"000000000000a1")


@mail
def gmail():
    return top(more="""
        X-Gm-Message-State: AOJu0Yz
        X-Google-Smtp-Source: AGHT+IE
        Received: by 2002:a17:907:9493:b0:9a1 with SMTP id x; Mon, 23 Nov 2026 09:00:00 GMT""") + \
        alternative(b"000000000000abcdef", plain(GERMAN.replace("\n", "\r\n").encode(), b'"UTF-8"',
                                                 b"8bit"), html())


@mail
def gmail_forward():
    text = WORDS + b"\r\n---------- Forwarded message ---------\r\nFrom: Dave <dave@x.example>\r\n" \
        b"Date: Sun, Nov 22, 2026 at 9:00 AM\r\nSubject: Figures\r\nTo: <carol@sender.example>\r\n\r\n" \
        b"Here they are.\r\n"
    return top("Fwd: Figures") + mixed(alternative(b"0000000000002", plain(text)), file(
        b"a;b;c\r\n1;2;3\r\n", b"figures.csv", b"text/csv; charset=\"US-ASCII\"",
        more=b"X-Attachment-Id: f_lp1\r\nContent-ID: <f_lp1>\r\n"), boundary=b"0000000000001")


@mail
def apple_mail():
    return top(more="X-Mailer: Apple Mail (2.3774.600.62)") + mixed(
        plain(), mixed(b"Content-Type: text/html; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n"
                       b"\r\n<html><body>Dear Alice,<br></body></html>\r\n",
                       file(pdf(), b"Angebot.pdf", b"application/pdf;\r\n\tx-unix-mode=0644", b"inline"),
                       b"Content-Transfer-Encoding: 7bit\r\nContent-Type: text/html;\r\n\tcharset="
                       b"us-ascii\r\n\r\n<html><body>Carol</body></html>\r\n",
                       boundary=b"Apple-Mail=_2B"), boundary=b"Apple-Mail=_1A",
        subtype=b"alternative")


@mail
def apple_mail_umlauts_in_names():
    part = (b"Content-Disposition: attachment;\r\n\tfilename*=utf-8''%5BM%C3%A4rz%5D%20Rechnung.pdf\r\n"
            b"Content-Type: application/pdf;\r\n\tx-unix-mode=0644;\r\n\tname=\"=?utf-8?Q?"
            b"=5BMa=CC=88rz=5D_Rechnung=2Epdf?=\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
            b64(pdf()))
    return top("=?utf-8?Q?Rechnung_M=C3=A4rz?=") + mixed(plain(), part, plain(b"\r\n\r\n"))


@mail
def iphone_photo():
    return top("Foto", more="X-Mailer: iPhone Mail (21A351)") + mixed(
        plain(b"\r\n"), file(jpeg(), b"IMG_0001.jpeg", b"image/jpeg", b"inline"),
        plain(b"\r\n\r\nSent from my iPhone\r\n"))


@mail
def mutt_signed():
    return top(more="User-Agent: Mutt/2.2.9 (2022-11-12)") + \
        b"Content-Type: multipart/signed; micalg=pgp-sha512;\r\n\tprotocol=\"application/pgp-signature\"" \
        b"; boundary=\"Mjqg7Yu+0hL22rav\"\r\nContent-Disposition: inline\r\n\r\n\r\n" + parts(
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: inline\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + quoted(WORDS),
            b"Content-Type: application/pgp-signature; name=\"signature.asc\"\r\n\r\n"
            b"-----BEGIN PGP SIGNATURE-----\r\n\r\niQIzBAABCgAdFiEE\r\n=abcd\r\n"
            b"-----END PGP SIGNATURE-----\r\n", boundary=b"Mjqg7Yu+0hL22rav")


@mail
def pgp_encrypted():
    body = base64.encodebytes(bytes(range(256)) * 4).replace(b"\n", CRLF)
    return top("...") + b"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n" \
        b" boundary=\"enc\"\r\n\r\n" + parts(
            b"Content-Type: application/pgp-encrypted\r\nContent-Description: PGP/MIME version "
            b"identification\r\n\r\nVersion: 1\r\n",
            b"Content-Type: application/octet-stream; name=\"encrypted.asc\"\r\nContent-Disposition: "
            b"inline; filename=\"encrypted.asc\"\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n" + body +
            b"-----END PGP MESSAGE-----\r\n", boundary=b"enc")


@mail
def pgp_clear_signed():
    return top("Announcement", mime=False) + CRLF + \
        b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n" + WORDS + \
        b"-----BEGIN PGP SIGNATURE-----\r\n\r\niQEzBAEB\r\n=abcd\r\n-----END PGP SIGNATURE-----\r\n"


@mail
def smime_signed():
    return top() + b"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n" \
        b" micalg=sha-256; boundary=\"smime\"\r\n\r\nThis is an S/MIME signed message\r\n\r\n" + parts(
            plain(), file(b"\x30\x82\x01\x0a" + bytes(range(256)), b"smime.p7s",
                          b"application/pkcs7-signature"), boundary=b"smime")


@mail
def smime_signed_opaque():
    return top() + b"Content-Type: application/pkcs7-mime; name=\"smime.p7m\"; smime-type=signed-data" \
        b"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=" \
        b"\"smime.p7m\"\r\n\r\n" + b64(signed_data(plain()))


@mail
def smime_encrypted():
    return top("Confidential") + b"Content-Type: application/pkcs7-mime; name=\"smime.p7m\"; " \
        b"smime-type=enveloped-data\r\nContent-Transfer-Encoding: base64\r\n\r\n" + \
        b64(bytes.fromhex("308204a006092a864886f70d010703a0820491") + bytes(range(256)) * 4)


# --- programs --------------------------------------------------------------------

PATCH = b"""The descriptor was closed twice when the peer hung up.

Signed-off-by: Carol Sender <carol@sender.example>
---
 net/conn.c | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

diff --git a/net/conn.c b/net/conn.c
index 1234567..89abcde 100644
--- a/net/conn.c
+++ b/net/conn.c
@@ -1,3 +1,3 @@
 int f(void)
-{ close(fd); close(fd); }
+{ close(fd); }
-- 
2.43.0

""".replace(b"\n", CRLF)


@mail
def git_send_email():
    return top("[PATCH 2/3] net: close once", more="""
        X-Mailer: git-send-email 2.43.0
        In-Reply-To: <20261123-1-carol@sender.example>
        References: <20261123-1-carol@sender.example>""") + \
        fields(content_transfer_encoding=b"8bit") + CRLF + PATCH


@mail
def git_format_patch_attached():
    return top("[PATCH] net: close once") + \
        b"Content-Type: multipart/mixed; boundary=\"------------2.43.0\"\r\n\r\n" \
        b"This is a multi-part message in MIME format.\r\n" + \
        b"--------------2.43.0\r\nContent-Type: text/plain; charset=UTF-8; format=fixed\r\n" \
        b"Content-Transfer-Encoding: 8bit\r\n\r\n---\r\n net/conn.c | 2 +-\r\n\r\n\r\n" \
        b"--------------2.43.0\r\nContent-Type: text/x-patch; name=\"0001-net.patch\"\r\n" \
        b"Content-Transfer-Encoding: 8bit\r\nContent-Disposition: attachment; filename=" \
        b"\"0001-net.patch\"\r\n\r\n" + PATCH + b"\r\n--------------2.43.0--\r\n\r\n"


@mail
def mailman():
    return top("[list] Meeting on Thursday", to="list@lists.example.org", more="""
        Errors-To: list-bounces@lists.example.org
        List-Id: Any list <list.lists.example.org>
        List-Unsubscribe: <https://lists.example.org/options/list>,
        List-Archive: <https://lists.example.org/pipermail/list/>
        Precedence: list
        X-Mailman-Version: 2.1.39
        X-BeenThere: list@lists.example.org""") + mixed(
            alternative(b"inner"), b"Content-Type: text/plain; charset=\"us-ascii\"\r\nMIME-Version: 1.0"
            b"\r\nContent-Transfer-Encoding: 7bit\r\nContent-Disposition: inline\r\n\r\n"
            b"_______________________________________________\r\nlist mailing list\r\n"
            b"list@lists.example.org\r\nhttps://lists.example.org/listinfo/list\r\n",
            boundary=b"===============1234567890123456789==")


@mail
def mailman_digest():
    def one(n):
        return (b"From: P%d <p%d@x.example>\r\nSubject: Topic %d\r\nDate: Mon, 23 Nov 2026 10:00:00 "
                b"+0000\r\nMessage-ID: <%d@x.example>\r\n\r\nText of %d.\r\n" % (n, n, n, n, n))
    digest = mixed(*[CRLF + one(n) for n in range(8)], boundary=b"==digest==", subtype=b"digest")
    return top("list Digest, Vol 1, Issue 2", more="X-Mailman-Version: 2.1.39") + mixed(
        plain(b"Send list submissions to list@lists.example.org\r\n"),
        plain(b"Today's Topics:\r\n\r\n   1. Topic 1 (P1)\r\n"), digest, boundary=b"==outer==")


@mail
def footer_behind_base64():
    """Lists that append a text to whatever the body is."""
    return top("Hello") + fields(content_type=b"text/plain; charset=utf-8",
                                 content_transfer_encoding=b"base64") + CRLF + b64(WORDS) + \
        b"\r\n-- \r\nTo unsubscribe write to list-request@lists.example.org\r\n"


@mail
def bounce_postfix():
    status = (b"Content-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\n"
              b"Reporting-MTA: dns; mx.sender.example\r\nX-Postfix-Queue-ID: 4Sx\r\nArrival-Date: Mon, 23 "
              b"Nov 2026 10:00:00 +0000 (UTC)\r\n\r\nFinal-Recipient: rfc822; nobody@x.example\r\n"
              b"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n")
    return top("Undelivered Mail Returned to Sender", "MAILER-DAEMON@sender.example (Mail Delivery "
               "System)", "Auto-Submitted: auto-replied") + \
        b"Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"4Sx.1/mx\"\r\n" \
        b"Content-Transfer-Encoding: 8bit\r\n\r\nThis is a MIME-encapsulated message.\r\n\r\n" + parts(
            b"Content-Description: Notification\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
            b"I'm sorry to have to inform you that your message could not\r\nbe delivered.\r\n",
            status, b"Content-Description: Undelivered Message\r\nContent-Type: message/rfc822\r\n"
            b"Content-Transfer-Encoding: 8bit\r\n\r\n" + top("Hello") +
            fields(content_type=b"text/plain; charset=utf-8") + CRLF +
            GERMAN.replace("\n", "\r\n").encode(), boundary=b"4Sx.1/mx")


@mail
def bounce_headers_only():
    return top("Delivery Status Notification (Failure)", "postmaster@outlook.example") + \
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=\"9B\"\r\n\r\n" + parts(
            plain(b"Delivery has failed to these recipients.\r\n"),
            b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;x.example\r\n\r\n"
            b"Final-recipient: RFC822;a@b.example\r\nAction: failed\r\nStatus: 5.1.10\r\n",
            b"Content-Type: text/rfc822-headers\r\n\r\n" + top("Hello"), boundary=b"9B")


@mail
def bounce_exim():
    return top("Mail delivery failed: returning message to sender",
               "Mail Delivery System <Mailer-Daemon@sender.example>", "Auto-Submitted: auto-replied",
               mime=False) + CRLF + b"This message was created automatically by mail delivery software." \
        b"\r\n\r\n  nobody@x.example\r\n    Unrouteable address\r\n\r\n------ This is a copy of the message" \
        b", including all the headers. ------\r\n\r\n" + top("Hello") + CRLF + WORDS


@mail
def read_receipt():
    return top("Read: Meeting") + b"Content-Type: multipart/report; report-type=disposition-notification;" \
        b"\r\n boundary=\"mdn\"\r\n\r\n" + parts(
            plain(b"The message was displayed.\r\n"),
            b"Content-Type: message/disposition-notification\r\n\r\nReporting-UA: x\r\nFinal-Recipient: "
            b"rfc822;carol@sender.example\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n",
            boundary=b"mdn")


@mail
def newsletter():
    rows = b"".join(b"<tr><td style=\"padding:0 10px;font-size:14px;line-height:20px\"><a href=\"https://"
                    b"news.sender.example/c/%d?u=abc\">Offer number %d</a></td><td><img src=\"https://"
                    b"news.sender.example/i/%d.jpg\" width=200 alt=\"Picture\"></td></tr>\r\n" % (n, n, n)
                    for n in range(60))
    page = (b"<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"http://www.w3.org/TR/"
            b"xhtml1/DTD/xhtml1-transitional.dtd\"><html><head><style>@media only screen{.x{width:100%}}"
            b"</style></head><body><div style=\"display:none;max-height:0;overflow:hidden\">The best of "
            b"this week &zwnj;&nbsp;&zwnj;&nbsp;</div><table width=\"600\">" + rows + b"</table><p>You get "
            b"this because you asked for it. <a href=\"https://news.sender.example/u/abc\">Unsubscribe</a>"
            b"</p><img src=\"https://news.sender.example/o/abc.gif\" width=1 height=1></body></html>\r\n")
    return top("=?UTF-8?B?8J+OiSBUaGUgYmVzdCBvZiB0aGlzIHdlZWs=?=",
               "=?UTF-8?Q?Sender_=26_Sons?= <news@sender.example>", """
        List-Unsubscribe: <https://news.sender.example/u/abc>, <mailto:u@sender.example>
        List-Unsubscribe-Post: List-Unsubscribe=One-Click
        Precedence: bulk
        Feedback-ID: 1:2:3:x""") + alternative(b"_----------=_MCPart_123", plain(), html(page))


@mail
def newsletter_base64():
    return top("Your order", "shop@sender.example") + alternative(
        b"--==_mimepart_5f", plain(b64(WORDS), b"utf-8", b"base64"), html(cte=b"base64"))


@mail
def php_mail():
    """Shops that set a type and forget MIME-Version."""
    return top("Your order 4711", mime=False, more="X-PHP-Originating-Script: 33:mail.php") + \
        b"Content-type: text/html; charset=iso-8859-1\r\n\r\n<html><body>Vielen Dank f\xfcr Ihre " \
        b"Bestellung!</body></html>\r\n"


@mail
def cron():
    return top("Cron <root@host> /usr/local/bin/backup", "root@host.sender.example (Cron Daemon)",
               "X-Cron-Env: <SHELL=/bin/sh>") + \
        b"Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" \
        b"/dev/sda1  10G  9G  1G  90%  /\r\nbackup done\r\n"


@mail
def monitoring_without_mime():
    return top("** PROBLEM Service Alert: host/disk is WARNING **", "nagios@host.sender.example",
               mime=False) + CRLF + b"***** Nagios *****\r\n\r\nService: disk\r\nState: WARNING\r\n"


@mail
def log_attached():
    return top("Logs", "backup@host.sender.example") + mixed(
        plain(b"See the log.\r\n"), file(gzip.compress(b"all well\n" * 500), b"backup.log.gz",
                                         b"application/gzip"),
        file(lzma.compress(tar(b"x" * 3000)), b"etc.tar.xz", b"application/x-xz"))


@mail
def scanner_to_mail():
    """A copier that sends what it scanned."""
    return top("Scanned from copier", "copier@sender.example", "X-Mailer: KM", mime=True) + \
        b"Content-Type: application/pdf; name=\"SKM_C258.pdf\"\r\nContent-Disposition: attachment; " \
        b"filename=\"SKM_C258.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b64(pdf())


@mail
def voicemail():
    wav = b"RIFF" + struct.pack("<I", 36 + 800) + b"WAVEfmt " + struct.pack(
        "<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", 800) + b"\x80" * 800
    return top("Voicemail from 555-0100", "pbx@sender.example") + mixed(
        plain(b"You have a new message.\r\n"), file(wav, b"msg0001.wav", b"audio/x-wav"))


@mail
def abuse_report():
    return top("FW: Earn money", to="abuse@example.test") + \
        b"Content-Type: multipart/report; report-type=feedback-report; boundary=\"arf\"\r\n\r\n" + parts(
            plain(b"This is an email abuse report.\r\n"),
            b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x/1\r\n"
            b"Version: 1\r\n", b"Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n" +
            top("Earn money") + CRLF + WORDS, boundary=b"arf")


@mail
def dmarc_report():
    return top("Report Domain: example.test Submitter: sender.example") + mixed(
        plain(b"This is an aggregate report.\r\n"),
        file(gzip.compress(b"<?xml version=\"1.0\"?><feedback></feedback>"),
             b"sender.example!example.test!1795388400!1795474799.xml.gz", b"application/gzip"))


@mail
def autoreply():
    return top("Automatic reply: Meeting", more="Auto-Submitted: auto-replied\nX-Auto-Response-Suppress:"
               " All") + alternative(b"_000_y_")


# --- charsets and shapes ---------------------------------------------------------


@mail
def plainest():
    return top(mime=False) + CRLF + WORDS


@mail
def empty_body():
    return top() + b"Content-Type: text/plain\r\n\r\n"


@mail
def no_body_at_all():
    return top(mime=False) + CRLF


@mail
def latin1_quoted_printable():
    return top("=?ISO-8859-1?Q?Gr=FC=DFe_aus_K=F6ln?=", "=?ISO-8859-1?Q?J=FCrgen?= <j@sender.example>") + \
        fields(content_type=b"text/plain; charset=ISO-8859-1; format=flowed",
               content_transfer_encoding=b"quoted-printable") + CRLF + \
        quoted(GERMAN.replace("€", "EUR").encode("latin-1"))


@mail
def windows1252_said_latin1():
    return top("Price") + fields(content_type=b"text/plain; charset=iso-8859-1",
                                 content_transfer_encoding=b"8bit") + CRLF + \
        GERMAN.replace("\n", "\r\n").encode("cp1252")


@mail
def japanese():
    text = "お世話になっております。\r\n明日の会議の資料をお送りします。\r\n"
    return top("=?ISO-2022-JP?B?GyRCMnE1RBsoQg==?=") + \
        fields(content_type=b"text/plain; charset=ISO-2022-JP", content_transfer_encoding=b"7bit") + \
        CRLF + text.encode("iso-2022-jp")


@mail
def chinese():
    return top("=?gb2312?B?u+HS6Q==?=") + fields(
        content_type=b"text/plain; charset=gb2312", content_transfer_encoding=b"base64") + CRLF + \
        b64("您好,\r\n附件是明天会议的资料。\r\n".encode("gb18030"))


@mail
def russian():
    return top("=?koi8-r?B?98/U0sXe?=") + fields(
        content_type=b"text/plain; charset=koi8-r", content_transfer_encoding=b"8bit") + CRLF + \
        "Здравствуйте, встреча в четверг.\r\n".encode("koi8-r")


@mail
def raw_utf8_header():
    return top("Grüße aus Köln", "Jürgen Müller <juergen@sender.example>") + \
        fields(content_type=b"text/plain; charset=utf-8", content_transfer_encoding=b"8bit") + CRLF + \
        GERMAN.replace("\n", "\r\n").encode()


@mail
def spreadsheet_text_in_utf16():
    """What Excel calls Unicode text."""
    table = b"\xff\xfe" + "Name\tPrice\r\nDoor\t1200\r\n".encode("utf-16-le")
    return top("The table") + mixed(plain(), file(table, b"table.txt", b"text/plain"))


@mail
def begin_in_text():
    return top("Holidays") + b"Content-Type: text/plain\r\n\r\nWe would like to\r\nbegin 2 days later\r\n" \
        b"and end\r\non Friday. It would\r\nbegin 600 metres from the station.\r\nend\r\n"


@mail
def dashes_in_text():
    return top("Notes") + mixed(plain(
        b"--\r\n-- \r\n----------\r\n--Carol\r\n--=_front\r\n ---\r\n" + WORDS),
        file(docx(), b"notes.docx", b"application/vnd.openxmlformats-officedocument.wordprocessingml."
             b"document"))


@mail
def mail_about_mime():
    text = b"In a part you write:\r\n\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64" \
        b"\r\n\r\nSGVsbG8=\r\n\r\nand behind it the next delimiter.\r\n"
    return top("How to write MIME") + plain(text)


@mail
def html_only():
    return top() + html()


@mail
def no_text_but_files():
    return top("files") + mixed(file(pdf(), b"a.pdf", b"application/pdf"),
                                file(jpeg(), b"b.jpg", b"image/jpeg"))


@mail
def forwarded_as_attachment():
    return top("FW: Meeting") + mixed(
        plain(), b"Content-Type: message/rfc822; name=\"Meeting.eml\"\r\nContent-Disposition: attachment;"
        b" filename=\"Meeting.eml\"\r\n\r\n" + outlook_word_html())


@mail
def card_attached():
    return top() + mixed(plain(), b"Content-Type: text/vcard; charset=utf-8; name=\"carol.vcf\"\r\n"
                         b"Content-Disposition: attachment; filename=\"carol.vcf\"\r\n\r\nBEGIN:VCARD\r\n"
                         b"VERSION:3.0\r\nN:Sender;Carol\r\nEND:VCARD\r\n")


@mail
def many_photos():
    return top("Photos") + mixed(plain(), *[file(jpeg() + bytes([n]) * 3000, b"IMG_%04d.JPG" % n,
                                                 b"image/jpeg") for n in range(40)])


@mail
def zip_of_documents():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in (("a.pdf", pdf()), ("b.docx", docx()), ("c/d.txt", b"text " * 300)):
            z.writestr(name, content)
    return top("Documents") + mixed(plain(), file(out.getvalue(), b"documents.zip", b"application/zip"))


@mail
def long_thread():
    text, quote = WORDS, b""
    for n in range(30):
        quote = b"On day %d Alice wrote:\r\n" % n + b"".join(b"> " + row + CRLF
                                                            for row in (text[:300] + quote).split(CRLF))[:20000]
    return top("Re: Re: Re: Meeting", more="References: " + " ".join(f"<{n}@x.example>" for n in range(30))
               ) + plain(WORDS + quote)
