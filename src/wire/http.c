/* SPDX-License-Identifier: ISC */
#include "wire/http.h"

#include "mime/utf8.h"

enum { HOST_MOST = 255 };

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* RFC 9110 5.6.2 */
static bool
is_token(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.ptr[i]) && !is_one_of(s.ptr[i], "!#$%&'*+-.^_`|~"))
			return false;
	return s.len > 0;
}

/* Of a field: HTAB is no control, and bytes from 0x80 on may stand (RFC 9110 5.5). */
static bool
is_field_text(str s)
{
	for (;;) {
		s = str_skip(s, str_printable(s));
		if (s.len == 0)
			return true;
		if (s.ptr[0] != '\t')
			return false;
		s = str_skip(s, 1);
	}
}

static bool
list_has(str list, str what)
{
	str one;

	while (str_cut(&list, ',', &one))
		if (str_ieq(str_trim(one), what))
			return true;
	return false;
}

/* ---- the request line ---- */

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
	{ "GET", HTTP_GET },
	{ "HEAD", HTTP_HEAD },
	{ "POST", HTTP_POST },
	{ "CONNECT", HTTP_OTHER },
	{ "DELETE", HTTP_OTHER },
	{ "OPTIONS", HTTP_OTHER },
	{ "PATCH", HTTP_OTHER },
	{ "PUT", HTTP_OTHER },
	{ "TRACE", HTTP_OTHER },
};

/* RFC 9110 9.1: 501 for one that nobody knows, 405 for one that we do not speak */
static unsigned
method_of(str name, enum http_method *out)
{
	if (!is_token(name))
		return 400;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (str_eq(name, str_of(methods[i].name))) {
			*out = methods[i].method;
			return *out == HTTP_OTHER ? 405 : 0;
		}
	return 501;
}

/* RFC 9112 2.3 */
static unsigned
version_of(str s, unsigned *minor)
{
	if (s.len != 8 || !str_starts(s, STR("HTTP/")) || s.ptr[6] != '.' ||
		s.ptr[5] < '0' || s.ptr[5] > '9' || s.ptr[7] < '0' || s.ptr[7] > '9')
		return 400;
	if (s.ptr[5] != '1' || s.ptr[7] > '1')
		return 505;
	*minor = s.ptr[7] == '1';
	return 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 3986 3.3, decoded; -1 for what must not stand there. */
static int
path_byte(str *s)
{
	char c = s->ptr[0];
	int high, low;

	if (c != '%') {
		*s = str_skip(*s, 1);
		return is_alnum(c) || is_one_of(c, "/-._~!$&'()*+,;=:@") ? c : -1;
	}
	if (s->len < 3 || (high = hex_digit(s->ptr[1])) < 0 ||
		(low = hex_digit(s->ptr[2])) < 0)
		return -1;
	*s = str_skip(*s, 3);
	int byte = high * 16 + low;
	return byte < 0x20 || byte == 0x7f || byte == '/' || byte == '\\' ? -1 : byte;
}

static bool
has_dots(str path)
{
	str segment;

	while (str_cut(&path, '/', &segment))
		if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
			return true;
	return false;
}

static unsigned
decode_path(struct http_request *q, str raw)
{
	char *out = arena_alloc(q->mem, raw.len);
	size_t n = 0;

	if (out == NULL)
		return 414;
	while (raw.len > 0) {
		int byte = path_byte(&raw);

		if (byte < 0)
			return 400;
		out[n++] = (char)byte;
	}
	q->path = (str){ out, n };
	return utf8_valid(q->path) && !has_dots(q->path) ? 0 : 400;
}

/* What browsers send as it is, and no fragment (RFC 3986 3.4 is narrower). */
static bool
is_query(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f || is_one_of(s.ptr[i], "\"#<>"))
			return false;
	return true;
}

static unsigned
target_of(struct http_request *q, str target)
{
	size_t mark = str_find(target, STR("?"));

	q->target = target;
	q->query = str_skip(target, mark + 1);
	if (target.len == 0 || target.ptr[0] != '/' || !is_query(q->query))
		return 400;
	return decode_path(q, str_first(target, mark));
}

unsigned
http_begin(struct http_request *q, str line)
{
	str method, target;
	unsigned status;

	*q = (struct http_request){ .mem = q->mem, .method = HTTP_OTHER };
	if (line.len > HTTP_LINE_MOST)
		return 414;
	/* RFC 9112 3: single spaces, and nothing around */
	if (str_printable(line) != line.len || !str_cut(&line, ' ', &method) ||
		!str_cut(&line, ' ', &target))
		return 400;
	if ((status = version_of(line, &q->minor)) != 0 ||
		(status = method_of(method, &q->method)) != 0)
		return status;
	return target_of(q, target);
}

/* ---- fields ---- */

unsigned
http_field(struct http_request *q, str line)
{
	struct http_field f = { .value = line };

	if (line.len > HTTP_LINE_MOST || q->nfields == HTTP_FIELDS)
		return 431;
	/* a name that is a token has no blank around it, and obs-fold no name (RFC 9112 5) */
	if (str_find(line, STR(":")) == line.len || !str_cut(&f.value, ':', &f.name) ||
		!is_token(f.name) || !is_field_text(f.value))
		return 400;
	f.value = str_trim(f.value);
	q->fields[q->nfields++] = f;
	return 0;
}

static size_t
count(const struct http_request *q, str name, str *last)
{
	size_t n = 0;

	*last = STR("");
	for (size_t i = 0; i < q->nfields; i++)
		if (str_ieq(q->fields[i].name, name)) {
			*last = q->fields[i].value;
			n++;
		}
	return n;
}

static bool
is_port(str s)
{
	uint64_t port;

	return str_u64(s, 65535, &port) && port > 0;
}

/* RFC 9112 3.2, RFC 3986 3.2.2, of a name only what names of hosts have */
static bool
is_host(str s)
{
	bool literal = s.len > 0 && s.ptr[0] == '[';
	size_t end = literal ? str_find(s, STR("]")) : str_find(s, STR(":"));
	str name = str_first(s, end), rest = str_skip(s, end);

	if (s.len > HOST_MOST || name.len == 0)
		return false;
	if (literal) {
		if (rest.len == 0 || name.len < 3)
			return false;
		name = str_skip(name, 1);
		rest = str_skip(rest, 1);
	}
	for (size_t i = 0; i < name.len; i++)
		if (literal ? hex_digit(name.ptr[i]) < 0 && !is_one_of(name.ptr[i], ":.")
			    : !is_alnum(name.ptr[i]) && !is_one_of(name.ptr[i], "-._"))
			return false;
	return rest.len == 0 || (rest.ptr[0] == ':' && is_port(str_skip(rest, 1)));
}

/* RFC 9112 6.3 */
static unsigned
end_length(struct http_request *q)
{
	str length, coding;
	size_t lengths = count(q, STR("Content-Length"), &length),
	       codings = count(q, STR("Transfer-Encoding"), &coding);

	if (lengths + codings > 1 || (codings > 0 && q->minor == 0))
		return 400;
	if (codings > 0 && !str_ieq(coding, STR("chunked")))
		return 501;
	q->chunked = codings > 0;
	q->has_length = lengths > 0;
	if (q->has_length && !str_u64(length, UINT64_MAX, &q->length))
		return 400;
	/* RFC 9110 9.3.1: such content is a way to smuggle, and nothing else */
	if (q->method != HTTP_POST && (q->chunked || q->length > 0))
		return 400;
	return 0;
}

static bool
wants_close(const struct http_request *q)
{
	for (size_t i = 0; i < q->nfields; i++)
		if (str_ieq(q->fields[i].name, STR("Connection")) &&
			list_has(q->fields[i].value, STR("close")))
			return true;
	return false;
}

unsigned
http_end(struct http_request *q)
{
	str expect;
	unsigned status;
	size_t expects = count(q, STR("Expect"), &expect);

	if (count(q, STR("Host"), &q->host) != 1 || !is_host(q->host))
		return 400;
	if ((status = end_length(q)) != 0)
		return status;
	if (expects > 1 || (expects == 1 && !str_ieq(expect, STR("100-continue"))))
		return 417;
	/* RFC 9110 10.1.1: not of HTTP/1.0, and not where nothing comes */
	q->expects = expects == 1 && q->minor == 1 && (q->chunked || q->length > 0);
	q->keep = q->minor == 1 && !wants_close(q);
	return 0;
}

str
http_get(const struct http_request *q, str name)
{
	for (size_t i = 0; i < q->nfields; i++)
		if (str_ieq(q->fields[i].name, name))
			return q->fields[i].value;
	return STR("");
}

str
http_cookie(const struct http_request *q, str name)
{
	str found = STR("");
	size_t n = 0;

	for (size_t i = 0; i < q->nfields; i++) {
		str list = q->fields[i].value, one;

		if (!str_ieq(q->fields[i].name, STR("Cookie")))
			continue;
		while (str_cut(&list, ';', &one)) {
			str is = str_trim(one), key = STR("");

			if (!str_cut(&is, '=', &key) || !str_eq(key, name))
				continue;
			found = is;
			n++;
		}
	}
	return n == 1 ? found : STR("");
}

static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

const char *
http_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}
