/* SPDX-License-Identifier: ISC */
/* Any bytes as a journal record: refused, or written again the same. */
#include "wire/jrec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str payload = { (const char *)data, size };
	ARENA_AUTO mem = arena_new(4u << 20);
	BUF_AUTO again = BUF(1u << 20);
	struct jrec_message m;
	struct jrec_answered a;
	struct jrec_counts c;
	struct jrec_pending *p;
	struct jrec_append put;
	size_t n;

	if (jrec_get_message(payload, mem, &m) == RC_OK) {
		jrec_put_message(&again, &m);
		/* records of before have no tail */
		if (!buf_ok(&again) || (again.len != size && again.len != size + 6))
			abort();
	}
	buf_clear(&again);
	if (jrec_get_append(payload, mem, &put) == RC_OK) {
		jrec_put_append(&again, &put);
		if (!str_eq(buf_str(&again), payload))
			abort();
	}
	(void)!jrec_get_answered(payload, &a);
	(void)!jrec_get_counts(payload, &c);
	(void)!jrec_get_pending(payload, mem, &p, &n);
	return 0;
}
