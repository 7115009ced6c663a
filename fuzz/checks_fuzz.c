/* SPDX-License-Identifier: ISC */
/* Settings, links and file names of strangers; lines: families and scores, then each a
 * name, a URL and a text. */
#include <stdlib.h>

#include "filter/filter_int.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	BUF_AUTO out = BUF(1 << 20);
	struct facts facts = { .flags = 0 };
	struct content_leaf leaves[64] = { 0 };
	struct content_link links[64] = { 0 };
	struct content c = { .leaves = leaves, .links = links, .odd = size };
	struct evidence e = { .fd = -1, .facts = &facts, .content = &c };
	struct findings f = { .mem = mem };
	str rest = { (const char *)data, size }, set, line;
	int32_t score;

	(void)str_cut(&rest, '\n', &set);
	while (c.nleaves < 64 && str_cut(&rest, '\n', &line)) {
		(void)family_of(set, line, &score);
		(void)score_setting(set, line, &score);
		leaves[c.nleaves++].name = line;
		(void)str_cut(&rest, '\n', &links[c.nlinks].url);
		(void)str_cut(&rest, '\n', &links[c.nlinks++].text);
	}
	if (filter_look(&e, &f, NULL) != RC_OK)
		abort();
	filter_list(&f, &out);
	return filter_judge(&f, &(struct policy_of){ 5000, false }).reason.len >
	       FILTER_REASON;
}
