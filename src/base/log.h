/* SPDX-License-Identifier: ISC */
/*
 * log: one event, one line, on standard error.
 *
 *	2026-11-23T01:48:00.123Z gate info msg="accepted" id=...
 *
 * Library functions do not log: the caller that decides logs once.  Never
 * log passwords, tokens, keys or content.  Bytes from outside go through
 * LOG_STR arguments of log_kv-style "%.*s" only; control bytes, '"' and bytes
 * that are not UTF-8 text become '?', so a line stays one line.  At most 1,000
 * bytes a line.  Any thread.
 */
#pragma once

#include "base/err.h"

enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARN_, LOG_ERROR_ };

void log_name(const char *process);	/* "gate", "house", ...; kept by pointer */
void log_least(enum log_level level);	/* what is below is not written */
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

#define log_debug(...)	log_line(LOG_DEBUG_, __VA_ARGS__)
#define log_info(...)	log_line(LOG_INFO_, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_WARN_, __VA_ARGS__)
#define log_error(...)	log_line(LOG_ERROR_, __VA_ARGS__)
