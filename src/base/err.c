/* SPDX-License-Identifier: ISC */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
one_line(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

enum rc
err_set(struct err *err, enum rc rc, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return rc;
	err->rc = rc;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	one_line(err->text);
	return rc;
}

enum rc
err_wrap(struct err *err, const char *what)
{
	char was[sizeof(err->text)];

	if (err == NULL)
		return RC_TEMP;
	memcpy(was, err->text, sizeof(was));
	was[sizeof(was) - 1] = '\0';
	int n = snprintf(err->text, sizeof(err->text), "%s: %.160s", what, was);
	(void)n;
	one_line(err->text);
	return err->rc;
}

enum rc
err_errno(struct err *err, const char *what)
{
	int e = errno;
	enum rc rc = e == ENOSPC || e == EDQUOT || e == EFBIG ? RC_LIMIT : RC_TEMP;
	char why[80];

	return err_set(err, rc, "%s: %s", what, strerror_r(e, why, sizeof(why)));
}
