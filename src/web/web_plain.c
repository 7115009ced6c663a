/* SPDX-License-Identifier: ISC */
/* Port 80: what a CA asks for (RFC 8555 8.3), and the way to https. */
#include <stdlib.h>

#include "base/fs.h"
#include "web/web_int.h"
#include "wire/http_put.h"

enum { CHALLENGE_NAME = 128, CHALLENGE_MOST = 1024, LINK_BASE = 320 };

/* RFC 8555 8.3: base64url, so it names a file in the folder and nothing else */
static bool
is_challenge(str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') &&
			(c < 'a' || c > 'z') && c != '-' && c != '_')
			return false;
	}
	return name.len > 0 && name.len <= CHALLENGE_NAME;
}

void
web_plain_acme(struct web_session *s)
{
	char path[CHALLENGE_NAME + sizeof("acme/")], *data;
	str text;
	size_t len;

	if (!is_challenge(s->part)) {
		web_error(s, 404, STR(""));
		return;
	}
	(void)snprintf(path, sizeof(path), "acme/" STR_FMT, STR_ARG(s->part));
	if (fs_read_all(s->house->data, path, CHALLENGE_MOST, &data, &len, NULL) !=
		RC_OK) {
		web_error(s, 404, STR(""));
		return;
	}
	text = web_keep(s, (str){ data, len });
	free(data);
	web_text(s, 200, text);
}

/* Where to is ours to say, never the request's Host. */
void
web_plain_other(struct web_session *s)
{
	BUF_AUTO to = BUF(HTTP_LINE_MOST);
	char base[LINK_BASE];

	conf_link_base(s->conf, base);
	buf_add(&to, str_first(str_of(base), strlen(base) - strlen("/r/")));
	http_put_path(&to, s->q->path);
	if (s->q->query.len > 0) {
		buf_addc(&to, '?');
		buf_add(&to, s->q->query);
	}
	if (!buf_ok(&to))
		web_error(s, 414, STR(""));
	else
		web_redirect(s, 308, web_keep(s, buf_str(&to)));
}
