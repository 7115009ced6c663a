/* SPDX-License-Identifier: ISC */
#include "imap/imap_int.h"

const struct imap_command imap_commands[] = {
	{ "CAPABILITY", IMAP_ANY, 0, cmd_capability },
	{ "NOOP", IMAP_ANY, 0, cmd_noop },
	{ "LOGOUT", IMAP_ANY, 0, cmd_logout },
	{ "ID", IMAP_ANY, 0, cmd_id },
	{ "STARTTLS", IMAP_NEW, 0, cmd_starttls },
	{ "LOGIN", IMAP_NEW, 0, cmd_login },
	{ "AUTHENTICATE", IMAP_NEW, 0, cmd_authenticate },
	{ "ENABLE", IMAP_IN, 0, cmd_enable },
	{ "COMPRESS", IMAP_IN, 0, cmd_compress },
	{ "IDLE", IMAP_IN, 0, cmd_idle },

	{ "SELECT", IMAP_IN, 0, cmd_select },
	{ "EXAMINE", IMAP_IN, 0, cmd_examine },
	{ "CLOSE", IMAP_SELECTED, 0, cmd_close },
	{ "UNSELECT", IMAP_SELECTED, 0, cmd_unselect },
	{ "CHECK", IMAP_SELECTED, 0, cmd_check },

	{ "LIST", IMAP_IN, 0, cmd_list },
	{ "LSUB", IMAP_IN, 0, cmd_lsub },
	{ "STATUS", IMAP_IN, 0, cmd_status },
	{ "NAMESPACE", IMAP_IN, 0, cmd_namespace },
	{ "CREATE", IMAP_IN, 0, cmd_create },
	{ "DELETE", IMAP_IN, 0, cmd_delete },
	{ "RENAME", IMAP_IN, 0, cmd_rename },
	{ "SUBSCRIBE", IMAP_IN, 0, cmd_subscribe },
	{ "UNSUBSCRIBE", IMAP_IN, 0, cmd_unsubscribe },
	{ "GETQUOTA", IMAP_IN, 0, cmd_getquota },
	{ "GETQUOTAROOT", IMAP_IN, 0, cmd_getquotaroot },
	{ "SETQUOTA", IMAP_IN, 0, cmd_setquota },
	{ "APPEND", IMAP_IN, 0, cmd_append },

	/* RFC 9051 7.5.1: while these are answered by number no number may change */
	{ "FETCH", IMAP_SELECTED, CMD_UID | CMD_STILL, cmd_fetch },
	{ "STORE", IMAP_SELECTED, CMD_UID | CMD_STILL, cmd_store },
	{ "SEARCH", IMAP_SELECTED, CMD_UID | CMD_STILL, cmd_search },
	{ "SORT", IMAP_SELECTED, CMD_UID | CMD_STILL, cmd_sort },
	{ "THREAD", IMAP_SELECTED, CMD_UID | CMD_STILL, cmd_thread },
	{ "COPY", IMAP_SELECTED, CMD_UID, cmd_copy },
	{ "MOVE", IMAP_SELECTED, CMD_UID | CMD_WRITES, cmd_move },
	{ "EXPUNGE", IMAP_SELECTED, CMD_UID | CMD_WRITES, cmd_expunge },
	{ "REPLACE", IMAP_SELECTED, CMD_UID | CMD_WRITES, cmd_replace },
	{ .name = NULL },
};
