/* SPDX-License-Identifier: ISC */
/* Where mail to an address goes. */
#include <stdarg.h>

#include "directory/directory_int.h"

/* One question on its way. */
struct question {
	struct directory *d;
	struct arena *work;
	struct err *err;
	directory_say_fn *say; /* may be NULL */
	void *say_arg;

	const struct source *source; /* whose domain it is */
	struct address asked;
	struct found_domain domain; /* where an alias of a domain led */
	struct found_name found;
	uint64_t default_quota;
	struct policy policy;
	str threshold_from, filter_from; /* scopes */
};

static void say(const struct question *q, const char *fmt, ...) PRINTF(2, 3);

static void
say(const struct question *q, const char *fmt, ...)
{
	struct err line;
	va_list ap;

	if (q->say == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line.text, sizeof(line.text), fmt, ap);
	va_end(ap);
	q->say(line.text, q->say_arg);
}

static enum rc
find_domain(struct question *q, str name, struct found_domain *out)
{
	enum rc rc = RC_NONE;

	for (size_t i = 0; directory_sources[i] != NULL && rc == RC_NONE; i++) {
		q->source = directory_sources[i];
		rc = q->source->domain(q->d, name, q->work, out, q->err);
	}
	return rc;
}

/* RFC 5321 4.5.1: <postmaster> without a domain is the first domain's. */
static enum rc
split(struct question *q, str address)
{
	struct found_domain first;
	enum rc rc;

	if (!str_ieq(address, STR("postmaster")))
		return address_split(address, q->work, &q->asked, q->err);
	if ((rc = find_domain(q, (str){ 0 }, &first)) != RC_OK)
		return rc;
	q->asked = (struct address){ .local = STR("postmaster"), .domain = first.name };
	say(q, "postmaster without a domain is that of the first domain, " STR_FMT,
		STR_ARG(first.name));
	return RC_OK;
}

static enum rc
find_own_domain(struct question *q)
{
	enum rc rc = find_domain(q, q->asked.domain, &q->domain);

	if (rc == RC_NONE)
		say(q, STR_FMT " is not a domain of this server",
			STR_ARG(q->asked.domain));
	if (rc != RC_OK)
		return rc;
	if (str_empty(q->domain.alias_of)) {
		say(q, STR_FMT " is a domain of this server", STR_ARG(q->domain.name));
		return RC_OK;
	}
	say(q, STR_FMT " is an alias of the domain " STR_FMT, STR_ARG(q->domain.name),
		STR_ARG(q->domain.alias_of));
	return q->source->domain(q->d, q->domain.alias_of, q->work, &q->domain, q->err);
}

static enum rc
try_name(struct question *q, str tag)
{
	str name;
	enum rc rc = address_join(q->asked.local, tag, q->domain.name, q->work, &name);

	if (rc == RC_OK)
		rc = q->source->name_of(q->d, name, q->work, &q->found, q->err);
	if (rc == RC_OK)
		say(q, STR_FMT " is %s", STR_ARG(name),
			q->found.account != 0 ? "an account" : "an alias");
	else if (rc == RC_NONE)
		say(q, "there is neither an account nor an alias " STR_FMT,
			STR_ARG(name));
	return rc;
}

/* As it stands, without its tag, the catch-all.  *named: not by the catch-all. */
static enum rc
find_name(struct question *q, bool *named)
{
	enum rc rc = RC_NONE;

	*named = true;
	if (!str_empty(q->asked.tag))
		rc = try_name(q, q->asked.tag);
	if (rc == RC_NONE)
		rc = try_name(q, (str){ 0 });
	if (rc != RC_NONE)
		return rc;
	if (str_empty(q->domain.catchall)) {
		say(q, STR_FMT " has no catch-all", STR_ARG(q->domain.name));
		return RC_NONE;
	}
	*named = false;
	say(q, "the catch-all of " STR_FMT " is " STR_FMT, STR_ARG(q->domain.name),
		STR_ARG(q->domain.catchall));
	return q->source->name_of(q->d, q->domain.catchall, q->work, &q->found, q->err);
}

/* The narrowest scope that says something wins, for each setting by itself. */
static void
merge(struct question *q, const struct policy *here, str scope)
{
	struct policy *p = &q->policy;

	if (here->has_threshold && !p->has_threshold) {
		p->has_threshold = true;
		p->threshold = here->threshold;
		q->threshold_from = scope;
	}
	if (here->has_filter && !p->has_filter) {
		p->has_filter = true;
		p->observe = here->observe;
		q->filter_from = scope;
	}
	if (here->has_appeals && !p->has_appeals) {
		p->has_appeals = true;
		p->recipient_appeals = here->recipient_appeals;
	}
	if (here->has_refused_mail && !p->has_refused_mail) {
		p->has_refused_mail = true;
		p->daily = here->daily;
	}
}

static enum rc
merge_policy(struct question *q, bool named)
{
	const str scopes[] = { named ? q->found.address : (str){ 0 }, q->domain.name,
		STR("all") };
	const struct policy defaults = { .has_threshold = true,
		.has_filter = true,
		.has_appeals = true,
		.has_refused_mail = true,
		.threshold = q->d->conf->server.threshold,
		.observe = q->d->conf->server.filter == CONF_OBSERVE };

	for (size_t i = 0; i < 3; i++) {
		struct policy here;
		enum rc rc = str_empty(scopes[i])
				     ? RC_NONE
				     : q->source->policy(q->d, scopes[i], &here, q->err);

		if (rc == RC_OK)
			merge(q, &here, scopes[i]);
		else if (rc != RC_NONE)
			return rc;
	}
	merge(q, &defaults, STR("the settings"));
	return RC_OK;
}

static enum rc
find_policy(struct question *q, bool named, struct ask_answer *out)
{
	enum rc rc = merge_policy(q, named);

	if (rc != RC_OK)
		return rc;
	out->threshold = q->policy.threshold;
	out->observe = q->policy.observe;
	say(q, "mail is refused from a score of %d.%03d on (set by " STR_FMT ")",
		out->threshold / 1000,
		(out->threshold < 0 ? -out->threshold : out->threshold) % 1000,
		STR_ARG(q->threshold_from));
	say(q, "filter = %s (set by " STR_FMT ")",
		out->observe ? "observe: nothing is refused for "
			       "its score"
			     : "enforce",
		STR_ARG(q->filter_from));
	return RC_OK;
}

/* Under the lock: everything but how full the accounts are. */
static enum rc
look_up(struct question *q, str address, struct ask_answer *out)
{
	bool named = true;
	enum rc rc = split(q, address);

	if (rc == RC_NONE || rc == RC_BAD) {
		say(q, "it is not an address of this server: %s",
			rc == RC_BAD && q->err != NULL ? q->err->text
						       : "there is no domain yet");
		out->status = ASK_RELAY;
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = address_join(q->asked.local, (str){ 0 }, q->asked.domain, q->work,
			&out->address);
	if (rc != RC_OK)
		return rc;
	rc = find_own_domain(q);
	if (rc == RC_NONE)
		out->status = ASK_RELAY;
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	q->default_quota = q->d->conf->store.quota;
	rc = find_name(q, &named);
	if (rc == RC_NONE)
		out->status = ASK_UNKNOWN;
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	out->status = ASK_LOCAL;
	return find_policy(q, named, out);
}

static enum rc
is_full(struct question *q, const struct found_target *t, directory_usage_fn *usage,
	void *arg, bool *full)
{
	uint64_t quota = t->has_quota ? t->quota : q->default_quota;
	uint64_t bytes = 0;
	enum rc rc;

	*full = false;
	if (usage == NULL || (quota == 0 && q->say == NULL))
		return RC_OK;
	rc = usage(t->account, &bytes, arg);
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	*full = quota != 0 && bytes >= quota;
	if (quota == 0)
		say(q, "account number %llu holds %llu bytes and has no quota",
			(unsigned long long)t->account, (unsigned long long)bytes);
	else
		say(q, "account number %llu holds %llu of %llu bytes%s",
			(unsigned long long)t->account, (unsigned long long)bytes,
			(unsigned long long)quota, *full ? ": it is full" : "");
	return RC_OK;
}

/* Disabled targets are left out; one that is full keeps the mail outside, so
 * that none of them misses it: the sender tries again. */
static enum rc
choose_targets(struct question *q, directory_usage_fn *usage, void *arg,
	struct arena *mem, struct ask_answer *out)
{
	uint64_t *ids = arena_array(mem, q->found.ntargets + 1, sizeof(*ids));
	bool full = false;
	size_t n = 0;

	if (ids == NULL)
		return err_set(q->err, RC_LIMIT, "too many targets for this transaction");
	for (size_t i = 0; i < q->found.ntargets; i++) {
		const struct found_target *t = &q->found.targets[i];
		bool this_full;
		enum rc rc;

		if (t->disabled) {
			say(q, "account number %llu is disabled and left out",
				(unsigned long long)t->account);
			continue;
		}
		if ((rc = is_full(q, t, usage, arg, &this_full)) != RC_OK)
			return rc;
		full = full || this_full;
		ids[n++] = t->account;
	}
	out->targets = ids;
	out->ntargets = n;
	if (n == 0)
		out->status = ASK_DISABLED;
	else if (full)
		out->status = ASK_FULL;
	return RC_OK;
}

enum rc
directory_explain(struct directory *d, str address, directory_usage_fn *usage, void *arg,
	directory_say_fn *say_fn, void *say_arg, struct arena *mem,
	struct ask_answer *out, struct err *err)
{
	ARENA_AUTO work = arena_new(WORK_BYTES);
	struct question q = {
		.d = d, .work = work, .err = err, .say = say_fn, .say_arg = say_arg
	};
	struct ask_answer a = { .address = address };
	enum rc rc;

	{
		LOCK_AUTO held = lock_take(&d->lock);

		rc = look_up(&q, address, &a);
	}
	/* Without the lock: the store has locks of its own. */
	if (rc == RC_OK && a.status == ASK_LOCAL)
		rc = choose_targets(&q, usage, arg, mem, &a);
	/* A damaged directory is our trouble, not the sender's. */
	if (rc == RC_BAD || rc == RC_NONE)
		rc = RC_TEMP;
	if (rc != RC_OK)
		return rc;
	if (arena_copy(mem, a.address, &a.address) != RC_OK)
		return err_set(
			err, RC_LIMIT, "the address is too long for this transaction");
	*out = a;
	return RC_OK;
}

enum rc
directory_resolve(struct directory *d, str address, directory_usage_fn *usage, void *arg,
	struct arena *mem, struct ask_answer *out, struct err *err)
{
	return directory_explain(d, address, usage, arg, NULL, NULL, mem, out, err);
}

enum rc
policy_for(struct directory *d, str address, struct policy *out, struct err *err)
{
	ARENA_AUTO work = arena_new(WORK_BYTES);
	struct question q = { .d = d, .work = work, .err = err };
	struct ask_answer a = { .address = address };
	LOCK_AUTO held = lock_take(&d->lock);
	enum rc rc = look_up(&q, address, &a);

	if (rc == RC_OK && a.status != ASK_LOCAL)
		rc = RC_NONE;
	if (rc == RC_OK)
		*out = q.policy;
	return rc;
}
