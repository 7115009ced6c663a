/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "directory/directory_int.h"
#include "directory_sql.h"

enum { CACHE_BYTES = 1 << 20 };

/* Asked in this order. */
const struct source *const directory_sources[] = {
	&source_sql,
	NULL,
};

enum rc
directory_open(const struct directory_want *w, struct directory **out, struct err *err)
{
	struct db_want want = {
		.dirfd = w->data,
		.path = "directory.db",
		.sync = DB_SYNC_FULL,
		.cache_bytes = CACHE_BYTES,
		.read_only = w->read_only,
	};
	struct directory *d = calloc(1, sizeof(*d));
	enum rc rc;

	if (d == NULL)
		abort();
	if ((rc = db_open(&want, &d->db, err)) != RC_OK) {
		free(d);
		return rc;
	}
	if (!w->read_only &&
		(rc = db_migrate(d->db, directory_schema,
			 sizeof(directory_schema) / sizeof(directory_schema[0]), err)) !=
			RC_OK) {
		db_close(&d->db);
		free(d);
		return rc;
	}
	(void)pthread_mutex_init(&d->lock, NULL);
	d->conf = conf_keep(w->conf);
	d->read_only = w->read_only;
	d->changed = w->changed;
	d->shut_out = w->shut_out;
	d->arg = w->arg;
	*out = d;
	return RC_OK;
}

void
directory_close(struct directory **dp)
{
	struct directory *d = *dp;

	if (d == NULL)
		return;
	db_close(&d->db);
	conf_drop(&d->conf);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
	*dp = NULL;
}

void
directory_reload(struct directory *d, const struct conf *conf)
{
	const struct conf *old;

	{
		LOCK_AUTO held = lock_take(&d->lock);

		old = d->conf;
		d->conf = conf_keep(conf);
	}
	conf_drop(&old);
	if (d->changed != NULL)
		d->changed(d->arg);
}

enum rc
change_begin(struct directory *d, struct err *err)
{
	(void)pthread_mutex_lock(&d->lock);
	if (d->read_only) {
		(void)pthread_mutex_unlock(&d->lock);
		return err_set(err, RC_PERM, "the directory is open for reading only");
	}
	d->shutting_out = 0;
	enum rc rc = db_begin(d->db, err);
	if (rc != RC_OK)
		(void)pthread_mutex_unlock(&d->lock);
	return rc;
}

enum rc
change_end(struct directory *d, enum rc rc, struct err *err)
{
	uint64_t out = d->shutting_out;

	if (rc == RC_OK)
		rc = db_commit(d->db, err);
	if (rc != RC_OK)
		db_rollback(d->db);
	(void)pthread_mutex_unlock(&d->lock);
	if (rc == RC_OK && d->changed != NULL)
		d->changed(d->arg);
	if (rc == RC_OK && out != 0 && d->shut_out != NULL)
		d->shut_out(out, d->arg);
	return rc;
}

enum rc
directory_copy(struct directory *d, int dirfd, struct err *err)
{
	LOCK_AUTO held = lock_take(&d->lock);

	return db_copy(d->db, dirfd, "directory.db", err);
}
