/* SPDX-License-Identifier: ISC */
/*
 * setup: what manager and children tell each other over a control channel
 * (net/chan.h).  Grammar only.
 *
 * manager → child
 *	MGR_SETUP	first; body setup_head, descriptors in the order of enum
 *			setup_part (those of its mask), then the listeners
 *	MGR_PEER	body: enum peer (4), slot (4); one descriptor, a channel to it
 *	MGR_RELOAD	as MGR_SETUP, but settings, keys and clamd's settings only
 *	MGR_DRAIN	body: how many ms are left (8): finish and exit 0
 *	MGR_CONTROL	one descriptor: a connection of the control socket (house)
 * child → manager
 *	CHILD_READY	its cage is closed and it works
 *	CHILD_DIAL	one descriptor: what its connect() calls are answered through (dial.h)
 *	CHILD_LOST	body: slot (4) of a scanner to be killed and replaced (gate); 0 the
 *			gate, else slot + 1 of a reader (house)
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/chan.h"
#include "net/tls.h"

enum setup_msg {
	MGR_SETUP = 100, MGR_PEER, MGR_RELOAD, MGR_DRAIN, MGR_CONTROL,
	CHILD_READY = 200, CHILD_LOST, CHILD_DIAL,
};

/* The held keys' halves are SEAL_PUBLIC and SEAL_PRIVATE bytes, or none. */
enum setup_part {
	PART_SETTINGS, PART_KEYS, PART_CLAMD, PART_METRICS, PART_DATA,
	PART_HELD_PUBLIC, PART_HELD_PRIVATE, PARTS
};

enum peer { PEER_GATE = 1, PEER_HOUSE, PEER_SCANNER };

enum {
	SETUP_PAIRS = 64,			/* certificates */
	SETUP_KEYS = 4 * 1024 * 1024,		/* bytes of all of them */
	SETUP_LISTENERS = CHAN_FDS - PARTS,
	SETUP_SETTINGS = 1 << 20,
};

struct setup_head {
	uint32_t slot;			/* which scanner */
	uint32_t parts;			/* mask of 1 << enum setup_part */
	bool switching;			/* become uid and gid */
	uint32_t uid, gid;
	uint32_t abi;			/* Landlock's, as the manager found it */
	uint64_t wall_ms;		/* the time, when it is not the real one; 0 */
	uint32_t nlisten;
	uint16_t ports[SETUP_LISTENERS];	/* standard port of each listener */
	str conf_path;
};

void setup_put_head(struct buf *b, const struct setup_head *h);
enum rc setup_get_head(str body, struct setup_head *h) MUST_CHECK;

void setup_put_pair(struct buf *b, str name, str cert_pem, str key_pem);
/* Behind the pairs: our own CA; "" if there is none. */
struct setup_ca {
	bool serves;		/* what strangers who follow a link are shown is of it */
	str pem;
};

void setup_put_ca(struct buf *b, const struct setup_ca *ca);
/* Views into body. */
enum rc setup_get_pairs(str body, struct tls_pair pairs[SETUP_PAIRS], size_t *n, struct setup_ca *ca)
	MUST_CHECK;
