/* SPDX-License-Identifier: ISC */
/* keys/acme/state: a line "KEY VALUE" for each thing that is known of the last try. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fs.h"
#include "daemon/acme_int.h"

enum { STATE_MOST = 16 * 1024 };

static const uint64_t HOUR_MS = 3600000;

uint64_t
acme_delay_ms(unsigned failures)
{
	uint64_t hours = failures > 5 ? 24 : failures == 0 ? 1 : 1ull << (failures - 1);

	return hours * HOUR_MS;
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
