/* SPDX-License-Identifier: ISC */
/*
 * child: what gate, house and scanners have in common: how they begin, become
 * their user, close their cage, and hear the manager.
 *
 * A child is this program executed again with the words
 * `--child NAME DESCRIPTOR`.  Everything else comes over the descriptor's
 * control channel.  It ends when the channel ends or the manager dies.
 */
#pragma once

#include "conf/conf.h"
#include "daemon/setup.h"
#include "net/chan.h"
#include "net/tls.h"

struct process;

struct child {
	const struct process *process;
	char name[24];			/* "gate", "scanner 3" */
	int control;
	struct setup_head head;
	char conf_path[4097];
	const struct conf *conf;
	struct tls *tls;		/* NULL for who gets no keys */
	char *ca_pem;			/* our own CA's certificate, ""; NULL for who gets no keys */
	bool ca_serves;			/* setup.h */
	char *clamd_conf;		/* clamd's settings; NULL when there is no such file */
	/* Halves of the held keys, for gate and for house; NULL for others, and
	 * where the key is missing. */
	uint8_t *held_public, *held_private;
	int data;			/* the data folder; -1 for who gets none */
	size_t nlisten;
	int listeners[SETUP_LISTENERS];
	char *buf;			/* of child_next */
};

/* The whole life of a child; returns its exit status. */
int child_main(const char *name, int control);

/* Everything has been opened, no thread has been started: closes the cage
 * (and, in a test build that is told to, tries to leave it).  Ends the process
 * when it cannot. */
void child_cage(struct child *c);
void child_ready(struct child *c);	/* tells the manager */
void child_tell(struct child *c, enum setup_msg type, uint32_t slot);

/* The manager's next message; ends the process when the manager is gone.  A
 * reload has already been put into conf, tls and clamd_conf. */
void child_next(struct child *c, struct chan_msg *m);

/* Says the sentence and ends the process; the manager starts another. */
__attribute__((noreturn)) void child_die(const struct err *err, const char *what);

/* probe.c in a test build, probe_none.c otherwise. */
void probe_cage(const struct child *c);
