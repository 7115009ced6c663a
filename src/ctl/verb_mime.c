/* SPDX-License-Identifier: ISC */
/* `gatepost mime FILE`: a message as it is read, for people and tests. */
#include "ctl/caged.h"
#include "ctl/ctl_int.h"
#include "ctl/mime_json.h"
#include "ctl/scan_json.h"
#include "mime/tree.h"
#include "scan/scan.h"

enum { MEMORY = 128 * 1024 * 1024 }; /* a tree, and again with what was found in it */

static enum rc
look(struct caged *c, bool one_line, struct err *err)
{
	const struct scan_job job = { .fd = c->fd,
		.size = c->bytes.len,
		.hostname = c->conf->server.hostname,
		.most_unpacked = c->conf->limits.scanner_unpacked,
		.want = SCAN_CONTENT | SCAN_TEXT | SCAN_TOKENS };
	ARENA_AUTO mem = arena_new(MEMORY);
	struct mime_tree tree;
	struct scanned got;
	enum rc rc = mime_parse(c->bytes, c->charsets, mem, &tree, err);

	if (rc == RC_OK)
		rc = scan_message(&job, c->charsets, mem, &got, err);
	if (rc != RC_OK)
		return rc;
	json_t *all = json_object();
	put_json(all, "size", json_integer((json_int_t)c->bytes.len));
	put_json(all, "parts", json_integer((json_int_t)tree.parts));
	put_json(all, "odd", odd_json(tree.odd | got.content.odd));
	put_json(all, "tree", mime_json(c->bytes, &tree, job.most_unpacked));
	put_json(all, "header", facts_json(&got.facts, c->charsets, mem));
	put_json(all, "imap", imap_json(&got.facts));
	put_json(all, "content", content_json(&got.content, true));
	caged_say_json(c, all, one_line);
	json_decref(all);
	scanned_clear(&got);
	return RC_OK;
}

static enum rc
look_one_line(struct caged *c, struct err *err)
{
	return look(c, true, err);
}

static enum rc
look_pretty(struct caged *c, struct err *err)
{
	return look(c, false, err);
}

/* The limits of the server whose settings these are, if there is one. */
static enum rc
settings(struct verb_io *io, const struct conf **conf)
{
	if (conf_load(io->conf_path, conf, NULL) == RC_OK)
		return RC_OK;
	return conf_parse(STR("hostname = localhost\n"), "", conf, &io->err);
}

enum verb_exit
verb_mime(struct verb_io *io, int argc, char **argv)
{
	BUF_AUTO out = BUF(CAGED_MOST);
	const struct conf *conf = NULL;

	if (!verb_words(io, "mime", argc, argv, 1, 1))
		return VERB_USAGE;
	enum rc rc = settings(io, &conf);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	rc = caged_run(
		conf, argv[0], io->json ? look_one_line : look_pretty, &out, &io->err);
	conf_drop(&conf);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	io->out(io, buf_str(&out));
	return verb_done(io);
}
