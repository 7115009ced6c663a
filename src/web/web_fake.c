/* SPDX-License-Identifier: ISC */
#include "deliver/appeal.h"
enum rc appeal_make(const struct appeal_house *h, const struct refusal *f, const struct appeal *a,
	enum appeal_end *end, struct err *err)
{ struct decider d = { .id = f->id, .n = f->n, .address = { "postmaster@x.test", 17 }, .role = DECIDER_POSTMASTER };
 return appeals_put(h->release.refusals, f, a, &d, 1, &h->limits, end, err); }
enum rc appeal_decide(const struct appeal_house *h, str token, bool uphold, struct arena *mem,
	struct refusal *f, struct err *err)
{ struct decider d;
  enum rc rc = deciders_find(h->release.refusals, token, mem, &d, f, err);
  if (rc != RC_OK) return rc;
  if (uphold) return err_set(err, RC_BAD, "no");
  rc = refusals_dismiss(h->release.refusals, f, d.address, err);
  return rc == RC_OK ? deciders_find(h->release.refusals, token, mem, &d, f, err) : rc; }
