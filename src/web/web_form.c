/* SPDX-License-Identifier: ISC */
#include "web/web_form.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/ids.h"
#include "crypto/digest.h"

enum { MAC_BYTES = 16, MAC_TEXT = WEB_TOKEN + 1, HOUR_MS = 3600 * 1000, NUMBER = 20 };

/* Each use of the key has a name of its own in front; no part has an LF in it. */
static void
make_mac(const struct web_session *s, const char *use, str a, str b, uint64_t number,
	char out[MAC_TEXT])
{
	uint8_t digest[SHA256_BYTES];
	BUF_AUTO text = BUF(HTTP_HEAD_MOST);

	buf_addf(&text, "gatepost web %s\n" STR_FMT "\n" STR_FMT "\n%" PRIu64, use,
		STR_ARG(a), STR_ARG(b), number);
	hmac_sha256((str){ (const char *)s->house->token_key, TOKEN_KEY }, buf_str(&text),
		digest);
	ids_base32(digest, MAC_BYTES, out);
}

static bool
is_mac(str text, const char mac[MAC_TEXT])
{
	return text.len == MAC_TEXT - 1 && same_secret(text.ptr, mac, text.len);
}

/* ---- the form token ---- */

/* "" if there is none of ours. */
static str
cookie_of(const struct web_session *s)
{
	str c = http_cookie(s->q, STR("__Host-gatepost"));

	for (size_t i = 0; i < c.len; i++)
		if ((c.ptr[i] < '0' || c.ptr[i] > '9') &&
			(c.ptr[i] < 'a' || c.ptr[i] > 'z'))
			return STR("");
	return c.len == WEB_TOKEN ? c : STR("");
}

str
web_form_token(struct web_session *s, str path)
{
	uint64_t hour = clock_wall_ms() / HOUR_MS;
	char mac[MAC_TEXT], text[FORM_TOKEN];
	uint8_t bits[16];
	str cookie = cookie_of(s);

	if (cookie.len == 0) {
		ids_random(bits, sizeof(bits));
		ids_base32(bits, sizeof(bits), s->cookie);
		cookie = str_of(s->cookie);
	}
	make_mac(s, "form", cookie, path, hour, mac);
	(void)snprintf(text, sizeof(text), "%" PRIu64 ".%s", hour, mac);
	return web_keep(s, str_of(text));
}

/*
 * Origin is "null" where Referrer-Policy is no-referrer, as it is on all our pages (Fetch
 * 3.2.5); a browser that sends this much sends Sec-Fetch-Site too.
 */
static bool
is_same_origin(const struct web_session *s)
{
	str origin = http_get(s->q, STR("Origin")),
	    site = http_get(s->q, STR("Sec-Fetch-Site"));
	static const str https = STR_INIT("https://");

	if (site.len > 0 && !str_eq(site, STR("same-origin")))
		return false;
	if (origin.len == 0 || str_eq(origin, STR("null")))
		return true;
	return str_starts(origin, https) &&
	       str_ieq(str_skip(origin, https.len), s->q->host);
}

bool
web_form_good(struct web_session *s, const struct http_form *f, str path)
{
	uint64_t now = clock_wall_ms() / HOUR_MS, hour;
	str mac = http_form_get(f, STR("token")), cookie = cookie_of(s), number = STR("");
	char good[MAC_TEXT];

	if (!is_same_origin(s) || cookie.len == 0 || !str_cut(&mac, '.', &number) ||
		!str_u64(number, UINT64_MAX, &hour) || hour > now ||
		now - hour >= FORM_HOURS)
		return false;
	make_mac(s, "form", cookie, path, hour, good);
	return is_mac(mac, good);
}

/* ---- stamps: KIND.TIME.BITS.MAC, the time in milliseconds ---- */

struct stamp {
	bool waits; /* of the second step */
	uint64_t time_ms, bits;
};

static const char *
use_of(bool waits)
{
	return waits ? "second step" : "work";
}

static str
put_stamp(struct web_session *s, const struct stamp *st)
{
	char mac[MAC_TEXT], bits[NUMBER + 1], text[3 * NUMBER + MAC_TEXT];

	(void)snprintf(bits, sizeof(bits), "%" PRIu64, st->bits);
	make_mac(s, use_of(st->waits), s->part, str_of(bits), st->time_ms, mac);
	(void)snprintf(text, sizeof(text), "%c.%" PRIu64 ".%s.%s", st->waits ? 'w' : 'p',
		st->time_ms, bits, mac);
	return web_keep(s, str_of(text));
}

static bool
read_stamp(const struct web_session *s, str text, struct stamp *out)
{
	str kind = STR(""), time = STR(""), bits = STR("");
	struct stamp st;
	char good[MAC_TEXT];

	if (!str_cut(&text, '.', &kind) || !str_cut(&text, '.', &time) ||
		!str_cut(&text, '.', &bits) || !str_u64(time, UINT64_MAX, &st.time_ms) ||
		!str_u64(bits, 64, &st.bits))
		return false;
	st.waits = str_eq(kind, STR("w"));
	make_mac(s, use_of(st.waits), s->part, bits, st.time_ms, good);
	if (!is_mac(text, good))
		return false;
	*out = st;
	return true;
}

str
web_stamp(struct web_session *s, uint64_t wall_ms)
{
	return put_stamp(
		s, &(struct stamp){ .time_ms = wall_ms, .bits = s->conf->web.work });
}

str
web_stamp_wait(struct web_session *s, uint64_t not_before_ms)
{
	return put_stamp(s, &(struct stamp){ .waits = true, .time_ms = not_before_ms });
}

/* Does SHA-256(stamp ":" counter) begin with so many zero bits? */
static bool
is_proof(str stamp, str counter, uint64_t bits)
{
	uint8_t digest[SHA256_BYTES];
	BUF_AUTO text = BUF(HTTP_LINE_MOST);
	uint64_t n;

	if (!str_u64(counter, UINT64_MAX, &n))
		return false;
	buf_add(&text, stamp);
	buf_addc(&text, ':');
	buf_add(&text, counter);
	sha256(buf_str(&text), digest);
	for (uint64_t i = 0; i < bits; i++)
		if ((digest[i / 8] & (0x80u >> (i % 8))) != 0)
			return false;
	return true;
}

enum web_work
web_work(struct web_session *s, const struct http_form *f, uint64_t wall_ms,
	uint64_t *not_before_ms)
{
	str text = http_form_get(f, STR("stamp")), proof = http_form_get(f, STR("proof"));
	struct stamp st;

	if (s->conf->web.work == 0)
		return WORK_DONE;
	if (!read_stamp(s, text, &st) || wall_ms > st.time_ms + STAMP_MS)
		return WORK_WAIT;
	if (!st.waits)
		return is_proof(text, proof, st.bits) ? WORK_DONE : WORK_WAIT;
	*not_before_ms = st.time_ms;
	return wall_ms < st.time_ms ? WORK_EARLY : WORK_DONE;
}
