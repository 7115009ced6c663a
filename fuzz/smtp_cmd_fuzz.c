/* SPDX-License-Identifier: ISC */
#include "wire/smtp_cmd.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtp_line l;
	struct smtp_mail m;
	struct smtp_path p;
	uint64_t n;
	bool last;
	str name;

	if (!smtp_line_read((str){ (const char *)data, size }, &l))
		return 0;
	if (smtp_mail_read(l.args, &m) == SMTP_GOOD && m.from.plain_len > SMTP_PATH_MOST)
		abort();
	/* what was accepted must be accepted again, alone */
	if (smtp_rcpt_read(l.args, true, &p) == SMTP_GOOD && !str_eq(p.domain, STR("")) &&
		!smtp_is_domain(p.domain))
		abort();
	(void)!smtp_bdat_read(l.args, &n, &last);
	if (smtp_helo_read(l.args, &name) && (name.len == 0 || name.len > 255))
		abort();
	return 0;
}
