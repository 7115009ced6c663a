/* SPDX-License-Identifier: ISC */
/* The table of verbs: help and gatepost(8) are made from it. */
#include "ctl/ctl_int.h"

const struct verb verbs[] = {
	{ "init", "DIR --hostname NAME [--port-offset N] [--listen ADDRESS]",
		"Makes an instance: settings, keys, data folders.",
		VERB_LOCAL | VERB_NO_CONF, verb_init },
	{ "serve", "",
		"Runs the server in the foreground; SIGTERM drains, SIGHUP reloads.",
		VERB_LOCAL | VERB_NO_CONF, verb_serve },
	{ "check", "", "Says what is wrong with settings, keys, database, clamd and DNS.",
		VERB_LOCAL | VERB_NO_CONF, verb_check },
	{ "domain add", "NAME", "Takes mail for a domain; makes postmaster@ and abuse@.",
		0, verb_domain_add },
	{ "domain list", "", "Lists the domains.", 0, verb_domain_list },
	{ "domain remove", "NAME",
		"Removes a domain that has no accounts any more, with the mail "
		"of its postmaster@.",
		0, verb_domain_remove },
	{ "domain alias", "NAME OTHER", "Makes NAME another name of the domain OTHER.", 0,
		verb_domain_alias },
	{ "domain catchall", "NAME ADDRESS|off",
		"Sends mail for unknown names of a domain to an "
		"address.",
		0, verb_domain_catchall },
	{ "account add", "ADDRESS [--password-stdin] [--quota SIZE] | --from-file FILE|-",
		"Makes an account, or those of a file: lines of ADDRESS [PASSWORD], all or none.",
		VERB_INPUT, verb_account_add },
	{ "account list", "[DOMAIN]", "Lists the accounts.", 0, verb_account_list },
	{ "account show", "ADDRESS",
		"Shows an account: quota, use, aliases, app passwords.", 0,
		verb_account_show },
	{ "account disable", "ADDRESS", "Refuses mail and logins; keeps everything.", 0,
		verb_account_disable },
	{ "account enable", "ADDRESS", "Takes back `account disable`.", 0,
		verb_account_enable },
	{ "account remove", "ADDRESS",
		"Removes an account and all of its mail, without asking.", 0,
		verb_account_remove },
	{ "account password", "ADDRESS --password-stdin",
		"Sets the password, read from the "
		"first line of standard input.",
		VERB_INPUT, verb_account_password },
	{ "account quota", "ADDRESS SIZE|default|none",
		"Sets how much an account may hold.", 0, verb_account_quota },
	{ "account app-password add", "ADDRESS NAME [--for imap,pop3,smtp,web]",
		"Makes a password for one program and "
		"shows it once. It opens the services named with --for, all without it.",
		0, verb_app_password_add },
	{ "account app-password list", "ADDRESS",
		"Lists the app passwords and what they are for.", 0,
		verb_app_password_list },
	{ "account app-password revoke", "ADDRESS NAME", "Makes an app password useless.",
		0, verb_app_password_revoke },
	{ "alias add", "ADDRESS TARGET…", "Makes an alias, or adds targets to it.", 0,
		verb_alias_add },
	{ "alias list", "[DOMAIN]", "Lists the aliases.", 0, verb_alias_list },
	{ "alias remove", "ADDRESS [TARGET…]",
		"Removes targets of an alias, or all of it.", 0, verb_alias_remove },
	{ "policy show", "ADDRESS|DOMAIN|all",
		"Shows what is set there, and what counts.", 0, verb_policy_show },
	{ "policy set",
		"ADDRESS|DOMAIN|all [threshold=5.0|default] "
		"[filter=enforce|observe|default] [appeals=postmaster|recipient|default] "
		"[refused_mail=off|daily|default]",
		"Sets from which score on mail is refused; who decides about appeals besides the "
		"postmaster; whether recipients get a daily letter about what was refused for "
		"them, with links by which they can have it delivered.",
		0, verb_policy_set },
	{ "explain", "ADDRESS",
		"Shows where mail to an address would go, and under which policy.", 0,
		verb_explain },
	{ "ledger", "[--since TIME] [--from ADDRESS] [--to ADDRESS] [--id ID] [--last N]",
		"Shows what happened to messages.", 0, verb_ledger },
	{ "refusal list",
		"[--state open|appealed|released|dismissed] [--since TIME] [--from ADDRESS] "
		"[--to ADDRESS]",
		"Lists what was refused for what it is, newest first, by the names of "
		"the refusals, ID.N.",
		0, verb_refusal_list },
	{ "refusal show", "ID|ID.N [--original]",
		"Shows a refusal and what its sender said about it, or gives the original "
		"message, decrypted; who did is written down.",
		0, verb_refusal_show },
	{ "refusal release", "ID|ID.N",
		"Delivers the original to whom it was refused for, once.", 0,
		verb_refusal_release },
	{ "refusal dismiss", "ID|ID.N", "Turns down an appeal.", 0,
		verb_refusal_dismiss },
	{ "scan", "[--client IP] [--helo NAME] [--from ADDRESS] [--to ADDRESS] FILE|-",
		"Shows what would be said to a message if it came in now, and why.",
		VERB_LOCAL | VERB_NO_CONF, verb_scan },
	{ "mime", "FILE|-",
		"Shows a message as it is read: parts in all readings, what IMAP says of "
		"it, links, archives, signatures; JSON.",
		VERB_LOCAL | VERB_NO_CONF, verb_mime },
	{ "mailbox list", "ADDRESS [MAILBOX]",
		"Lists the mailboxes of an account, or the messages "
		"of one.",
		0, verb_mailbox_list },
	{ "mailbox read", "ADDRESS [MAILBOX] [UID]",
		"Lists the messages of a mailbox (INBOX), or "
		"gives one as it is.",
		0, verb_mailbox_read },
	{ "mailbox search", "ADDRESS WORD…",
		"Lists the messages of an account that hold all the texts, by full text; JSON says of which that is sure.",
		0, verb_mailbox_search },
	{ "mailbox restore", "ADDRESS [MAILBOX]",
		"Lists the mailboxes that were deleted in the last 14 days, or brings one back.",
		0, verb_mailbox_restore },
	{ "tls show", "",
		"Shows the certificates: names, who signed, until when, whether strangers "
		"trust them, and which one serves hostname and the links.",
		VERB_LOCAL | VERB_NO_CONF, verb_tls_show },
	{ "tls ca", "",
		"Gives the certificate of this instance's own CA, with its fingerprint.",
		VERB_LOCAL | VERB_NO_CONF, verb_tls_ca },
	{ "tls acme", "[--force]",
		"Gets a certificate of the public CA that [acme] names, if one is due; the "
		"server must be running, and does this by itself.",
		VERB_LOCAL | VERB_NO_CONF, verb_tls_acme },
	{ "tls acme-hook", "begin|done|failed TYPE IDENT TOKEN AUTH",
		"Puts the answer to a CA's challenge where the server finds it, or takes it "
		"away: for who runs uacme himself.",
		VERB_LOCAL | VERB_NO_CONF, verb_tls_acme_hook },
	{ "audit", "",
		"Proves the promises over journal, ledger, store, incoming and held.", 0,
		verb_audit },
	{ "verify", "", "Reads every file and database through.", 0, verb_verify },
	{ "status", "", "Shows figures.", 0, verb_status },
	{ "backup", "DEST",
		"Copies a consistent state into a new folder, also while the server "
		"runs. Keys are not in it.",
		VERB_LOCAL, verb_backup },
	{ "restore", "SRC [--account ADDRESS]",
		"Fills an empty instance from a backup, or gives "
		"an account back the messages it misses. No server may run.",
		/* the data folder that the settings name may be what was lost */
		VERB_LOCAL | VERB_NO_CONF, verb_restore },
	{ NULL, NULL, NULL, 0, NULL },
};

/* How many of argv's words are the row's; 0: not this row. */
static int
matches(const struct verb *v, int argc, char **argv)
{
	str rest = str_of(v->words), word;
	int n = 0;

	while (str_cut(&rest, ' ', &word)) {
		if (n == argc || !str_eq(word, str_of(argv[n])))
			return 0;
		n++;
	}
	return n;
}

const struct verb *
verb_find(int argc, char **argv, int *used)
{
	const struct verb *best = NULL;
	int most = 0;

	for (const struct verb *v = verbs; v->words != NULL; v++) {
		int n = matches(v, argc, argv);

		if (n > most) {
			best = v;
			most = n;
		}
	}
	if (best != NULL)
		*used = most;
	return best;
}

bool
verb_words(
	struct verb_io *io, const char *verb, int argc, char **argv, int least, int most)
{
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "--", 2) == 0) {
			(void)err_set(&io->err, RC_BAD,
				"%s: there is no option %.60s, or its value "
				"is missing",
				verb, argv[i]);
			return false;
		}
	if (argc >= least && argc <= most)
		return true;
	for (const struct verb *v = verbs; v->words != NULL; v++)
		if (strcmp(v->words, verb) == 0)
			(void)verb_usage(io, v);
	return false;
}
