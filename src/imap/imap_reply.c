/* SPDX-License-Identifier: ISC */
/* Tagged replies, and what every command needs on the way to one. */
#include "base/log.h"
#include "imap/imap_int.h"

static enum imap_did
reply(struct imap_session *s, enum imap_how how, const char *code, const char *text)
{
	s->reply = (struct imap_reply){ .how = how, .code = code, .text = text };
	return IMAP_DONE;
}

enum imap_did
imap_ok(struct imap_session *s, const char *code, const char *text)
{
	return reply(s, IMAP_OK, code, text);
}

enum imap_did
imap_no(struct imap_session *s, const char *code, const char *text)
{
	return reply(s, IMAP_NO, code, text);
}

enum imap_did
imap_badz(struct imap_session *s, const char *text)
{
	return reply(s, IMAP_BAD, NULL, text);
}

enum imap_did
imap_bad(struct imap_session *s)
{
	BUF_AUTO b = BUF(200);
	str text;

	if (s->cmd.x.why == NULL)
		return imap_badz(s, "there is more than this command takes");
	buf_addf(&b, "%s was expected", s->cmd.x.why);
	if (arena_copy(s->cmd.mem, buf_str(&b), &text) != RC_OK)
		return imap_badz(s, "that is not how this command is written");
	return imap_badz(s, text.ptr);
}

/* RFC 5530 has a code for each class. */
enum imap_did
imap_failed(struct imap_session *s, enum rc rc, const struct err *err)
{
	const char *sentence = "that cannot be done";
	str text;

	if (rc == RC_TEMP) {
		log_warn("msg=\"imap: a command failed\" user=\"%s\" why=\"%s\"",
			s->address, err->text);
		return imap_no(
			s, "UNAVAILABLE", "not possible at the moment, try again later");
	}
	if (err->text[0] != '\0' &&
		arena_copy(s->cmd.mem, str_of(err->text), &text) == RC_OK)
		sentence = text.ptr;
	if (rc == RC_NONE)
		return imap_no(s, "NONEXISTENT", sentence);
	if (rc == RC_LIMIT)
		return imap_no(s, "LIMIT", sentence);
	if (rc == RC_BAD)
		return imap_badz(s, sentence);
	return imap_no(s, "CANNOT", sentence);
}

bool
imap_mailbox_arg(struct imap_session *s, str *name)
{
	struct err err = { 0 };
	str wire;

	if (!lex_astring(&s->cmd.x, &wire)) {
		(void)imap_bad(s);
		return false;
	}
	if (imap_name_in(wire, imap_utf8(s), s->cmd.mem, name, NULL, &err) == RC_OK)
		return true;
	/* RFC 5530: a name that no mailbox can have */
	(void)imap_failed(s, RC_PERM, &err);
	return false;
}

void
imap_put_mailbox(struct imap_session *s, str name)
{
	imap_put_name(&s->out, name, imap_utf8(s));
}

enum rc
imap_uids(struct imap_session *s, struct imap_set *set, bool uid, uint32_t **out,
	size_t *n, struct err *err)
{
	const struct view_list *l = s->box.list;
	size_t count = view_list_count(l), most = 0, k = 0;

	if (set->saved) {
		*out = s->box.saved;
		*n = s->box.has_saved ? s->box.nsaved : 0;
		return RC_OK;
	}
	/* RFC 9051 9, seq-number: not even "*" */
	if (!uid && count == 0 && set->n > 0)
		return err_set(err, RC_BAD, "there are no messages");
	imap_set_resolve(
		set, uid ? (count == 0 ? 0 : view_list_uid(l, count)) : (uint32_t)count);
	for (size_t i = 0; i < set->n; i++) {
		if (!uid && set->at[i].to > count)
			return err_set(err, RC_BAD, "there are only %zu messages", count);
		size_t from = uid ? view_list_seq(l, set->at[i].from) : set->at[i].from;
		size_t to = uid ? (set->at[i].to == UINT32_MAX
						  ? count + 1
						  : view_list_seq(l, set->at[i].to + 1))
				: (size_t)set->at[i].to + 1;

		most += to > from ? to - from : 0;
	}
	uint32_t *list = arena_array(s->cmd.mem, most + 1, sizeof(*list));
	if (list == NULL)
		return err_set(err, RC_LIMIT, "too many messages for one command");
	for (size_t i = 0; i < set->n; i++) {
		size_t seq = uid ? view_list_seq(l, set->at[i].from) : set->at[i].from;

		for (; seq <= count; seq++) {
			uint32_t one = view_list_uid(l, seq);

			if (uid ? one > set->at[i].to : seq > set->at[i].to)
				break;
			list[k++] = one;
		}
	}
	*out = list;
	*n = k;
	return RC_OK;
}
