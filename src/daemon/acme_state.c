/* SPDX-License-Identifier: ISC */
/* What came of a try: keys/acme/state, a line "KEY VALUE" for each thing, and the sentence
 * in it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fs.h"
#include "daemon/acme_int.h"

enum { STATE_MOST = 16 * 1024, LINE_MOST = 150 };

static const uint64_t HOUR_MS = 3600000;

uint64_t
acme_delay_ms(unsigned failures)
{
	uint64_t hours = failures > 5 ? 24 : failures == 0 ? 1 : 1ull << (failures - 1);

	return hours * HOUR_MS;
}

void
acme_about(const struct conf *conf, str names, struct buf *out)
{
	const struct conf_acme *c = &conf->acme;
	const str parts[] = { c->directory, c->email, c->ca_file, names };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		buf_addf(out, "%s" STR_FMT, i > 0 ? " " : "", STR_ARG(parts[i]));
}

/* Numbers that are none are 0: then a try is made, at worst one too many. */
static void
take_line(str key, str value, str about, struct acme_state *s)
{
	uint64_t n = 0;

	if (str_eq(key, STR("about"))) {
		s->same = str_eq(value, about);
	} else if (str_eq(key, STR("got"))) {
		(void)snprintf(s->got, sizeof(s->got), STR_FMT, STR_ARG(value));
	} else if (str_eq(key, STR("said"))) {
		(void)snprintf(s->said, sizeof(s->said), STR_FMT, STR_ARG(value));
	} else if (!str_u64(value, INT64_MAX, &n)) {
		return;
	} else if (str_eq(key, STR("tried"))) {
		s->tried_ms = n;
	} else if (str_eq(key, STR("next"))) {
		s->next_ms = n;
	} else if (str_eq(key, STR("failures"))) {
		s->failures = n < 1000 ? (unsigned)n : 1000;
	}
}

void
acme_state_read(int keys, str about, struct acme_state *out)
{
	char *text = NULL;
	size_t len = 0;
	str line, key;

	*out = (struct acme_state){ 0 };
	if (fs_read_all(keys, "acme/state", STATE_MOST, &text, &len, NULL) != RC_OK)
		return;
	str rest = { text, len };
	while (str_cut(&rest, '\n', &line))
		if (str_cut(&line, ' ', &key))
			take_line(key, line, about, out);
	free(text);
}

enum rc
acme_state_write(int keys, str about, const struct acme_state *s, struct err *err)
{
	BUF_AUTO text = BUF(STATE_MOST);

	buf_addf(&text, "about " STR_FMT "\n", STR_ARG(about));
	buf_addf(&text, "tried %" PRIu64 "\nnext %" PRIu64 "\nfailures %u\n", s->tried_ms,
		s->next_ms, s->failures);
	if (s->said[0] != '\0')
		buf_addf(&text, "said %s\n", s->said);
	if (s->got[0] != '\0')
		buf_addf(&text, "got %s\n", s->got);
	return fs_replace(keys, "acme/state", 0600, buf_str(&text), err);
}

/* --- what uacme said --- */

static str
between(str s, str before, const char *ends)
{
	str rest = str_skip(s, str_find(s, before) + before.len);
	size_t n = 0;

	while (n < rest.len && strchr(ends, rest.ptr[n]) == NULL)
		/* an escaped end is none, the end of the line always is */
		n += rest.ptr[n] == '\\' && n + 1 < rest.len && rest.ptr[n + 1] != '\n'
			     ? 2
			     : 1;
	return str_first(rest, n);
}

/* The CA's own words, if it had any: they say what is wrong (RFC 7807 "detail").
 * Otherwise the last line, and why the network did not help. */
void
acme_sentence(str said, struct buf *out)
{
	str detail = between(said, STR("\"detail\": \""), "\"\n");
	str why = between(said, STR("failed: "), "\n"), rest = said, line, last = { 0 };

	for (size_t i = 0; i < detail.len; i++)
		if (detail.ptr[i] != '\\')
			buf_addc(out, detail.ptr[i]);
	if (out->len > 0)
		return;
	while (str_cut(&rest, '\n', &line))
		last = str_empty(line) ? last : line;
	if (str_starts(last, STR("uacme: ")))
		last = str_skip(last, sizeof("uacme: ") - 1);
	buf_add(out, last.len > 0 ? str_first(last, LINE_MOST)
				  : STR("uacme failed and said nothing"));
	if (why.len > 0)
		buf_addf(out, " (" STR_FMT ")", STR_ARG(str_first(why, LINE_MOST)));
}
