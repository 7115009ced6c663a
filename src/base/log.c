/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

static const char *process = "gatepost";
static enum log_level least = LOG_INFO_;

void
log_name(const char *name)
{
	process = name;
}

void
log_least(enum log_level level)
{
	least = level;
}

static void
one_line(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			s[i] = '?';
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	char line[1000], when[CLOCK_TEXT];
	va_list ap;
	size_t head;
	int n;

	if (level < least)
		return;
	clock_text(clock_wall_ms(), when);
	n = snprintf(line, sizeof(line), "%s %s %s ", when, process, names[level]);
	head = n < 0 ? 0 : (size_t)n;
	va_start(ap, fmt);
	n = vsnprintf(line + head, sizeof(line) - head - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	size_t len = head + (size_t)n;
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	one_line(line + head, len - head);
	line[len++] = '\n';
	/* one write, so that lines of several processes do not mix */
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nobody listens; there is nobody to tell */
}
