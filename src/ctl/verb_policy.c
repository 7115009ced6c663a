/* SPDX-License-Identifier: ISC */
#include "ctl/ctl_int.h"

static void
fix_text(int32_t v, char out[24])
{
	(void)snprintf(out, 24, "%d.%03d", v / 1000, (v < 0 ? -v : v) % 1000);
	/* "5.000" reads better as "5.0" */
	for (size_t n = strlen(out); n > 3 && out[n - 1] == '0' && out[n - 2] != '.'; n--)
		out[n - 1] = '\0';
}

enum verb_exit
verb_policy_show(struct verb_io *io, int argc, char **argv)
{
	struct policy p;
	char threshold[24];
	enum rc rc;

	if (!verb_words(io, "policy show", argc, argv, 1, 1))
		return VERB_USAGE;
	rc = policy_get(io->directory, str_of(argv[0]), &p, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	fix_text(p.threshold, threshold);
	if (io->json) {
		verb_json(io, json_pack("{s:s, s:o, s:o}", "scope", argv[0], "threshold",
				      p.has_threshold ? json_real(p.threshold / 1000.0)
						      : json_null(),
				      "filter",
				      p.has_filter ? json_string(p.observe ? "observe"
									   : "enforce")
						   : json_null()));
		return verb_done(io);
	}
	verb_printf(io, "threshold=%s\nfilter=%s\n",
		p.has_threshold ? threshold : "default",
		!p.has_filter ? "default"
		: p.observe   ? "observe"
			      : "enforce");
	return verb_done(io);
}

static bool
take_word(struct policy *p, const char *word)
{
	static const char threshold[] = "threshold=", filter[] = "filter=";
	const char *value;

	if (strncmp(word, threshold, sizeof(threshold) - 1) == 0) {
		value = word + sizeof(threshold) - 1;
		p->has_threshold = strcmp(value, "default") != 0;
		return !p->has_threshold || verb_fix(value, &p->threshold);
	}
	if (strncmp(word, filter, sizeof(filter) - 1) == 0) {
		value = word + sizeof(filter) - 1;
		p->has_filter = strcmp(value, "default") != 0;
		p->observe = strcmp(value, "observe") == 0;
		return !p->has_filter || p->observe || strcmp(value, "enforce") == 0;
	}
	return false;
}

enum verb_exit
verb_policy_set(struct verb_io *io, int argc, char **argv)
{
	struct policy p;
	enum rc rc;

	if (!verb_words(io, "policy set", argc, argv, 2, 3))
		return VERB_USAGE;
	rc = policy_get(io->directory, str_of(argv[0]), &p, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	for (int i = 1; i < argc; i++)
		if (!take_word(&p, argv[i])) {
			(void)err_set(&io->err, RC_BAD,
				"\"%.60s\" is not a setting of a policy; "
				"write threshold=5.0, filter=observe, or default as the value",
				argv[i]);
			return VERB_USAGE;
		}
	rc = policy_set(io->directory, str_of(argv[0]), &p, &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}
