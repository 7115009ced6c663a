/* SPDX-License-Identifier: ISC */
/*
 * restore_account: gives an account back the messages that a backup has and it
 * does not (lost, or removed by its reader).  They come into its INBOX by way of
 * house's journal, as everything does, under new ids and with their own dates
 * of arrival.  The caller holds the instance's lock.
 */
#pragma once

#include "ctl/verb.h"
#include "daemon/instance.h"

enum rc restore_account(struct verb_io *io, const struct instance *in, int src,
	const char *address) MUST_CHECK;
