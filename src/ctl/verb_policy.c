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

/* A setting with two values; off is the first one's. */
struct choice {
	const char *name, *off, *on;
	bool *has, *value;
};

enum { CHOICES = 3 };

static void
choices_of(struct policy *p, struct choice out[CHOICES])
{
	const struct choice all[CHOICES] = {
		{ "filter", "enforce", "observe", &p->has_filter, &p->observe },
		{ "appeals", "postmaster", "recipient", &p->has_appeals,
			&p->recipient_appeals },
		{ "refused_mail", "off", "daily", &p->has_refused_mail, &p->daily },
	};

	memcpy(out, all, sizeof(all));
}

static const char *
chosen(const struct choice *c)
{
	return *c->value ? c->on : c->off;
}

enum verb_exit
verb_policy_show(struct verb_io *io, int argc, char **argv)
{
	struct choice all[CHOICES];
	struct policy p;
	char threshold[24];
	enum rc rc;

	if (!verb_words(io, "policy show", argc, argv, 1, 1))
		return VERB_USAGE;
	rc = policy_get(io->directory, str_of(argv[0]), &p, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	fix_text(p.threshold, threshold);
	choices_of(&p, all);
	if (io->json) {
		json_t *j = json_pack("{s:s, s:o}", "scope", argv[0], "threshold",
			p.has_threshold ? json_real(p.threshold / 1000.0) : json_null());

		for (size_t i = 0; i < CHOICES; i++)
			(void)json_object_set_new(j, all[i].name,
				*all[i].has ? json_string(chosen(&all[i])) : json_null());
		verb_json(io, j);
		return verb_done(io);
	}
	verb_printf(io, "threshold=%s\n", p.has_threshold ? threshold : "default");
	for (size_t i = 0; i < CHOICES; i++)
		verb_printf(io, "%s=%s\n", all[i].name,
			*all[i].has ? chosen(&all[i]) : "default");
	return verb_done(io);
}

static bool
take_choice(const struct choice *c, const char *value)
{
	*c->has = strcmp(value, "default") != 0;
	*c->value = strcmp(value, c->on) == 0;
	return !*c->has || *c->value || strcmp(value, c->off) == 0;
}

/* NAME=VALUE */
static bool
take_word(struct policy *p, const char *word)
{
	struct choice all[CHOICES];
	str value = str_of(word), name;

	(void)str_cut(&value, '=', &name);
	if (str_eq(name, str_of(word)))
		return false;
	if (str_eq(name, STR("threshold"))) {
		p->has_threshold = !str_eq(value, STR("default"));
		return !p->has_threshold || verb_fix(value.ptr, &p->threshold);
	}
	choices_of(p, all);
	for (size_t i = 0; i < CHOICES; i++)
		if (str_eq(name, str_of(all[i].name)))
			return take_choice(&all[i], value.ptr);
	return false;
}

enum verb_exit
verb_policy_set(struct verb_io *io, int argc, char **argv)
{
	struct policy p;
	enum rc rc;

	if (!verb_words(io, "policy set", argc, argv, 2, 5))
		return VERB_USAGE;
	rc = policy_get(io->directory, str_of(argv[0]), &p, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	for (int i = 1; i < argc; i++)
		if (!take_word(&p, argv[i])) {
			(void)err_set(&io->err, RC_BAD,
				"\"%.60s\" is not a setting of a policy; "
				"write threshold=5.0, filter=observe, appeals=recipient, "
				"refused_mail=daily, or default as the value",
				argv[i]);
			return VERB_USAGE;
		}
	rc = policy_set(io->directory, str_of(argv[0]), &p, &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}
