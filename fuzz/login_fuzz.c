/* SPDX-License-Identifier: ISC */
/* SCRAM's exchange: each line of the input is one message of the client. */
#include <fcntl.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/log.h"
#include "directory/login.h"

static struct logins *
prepare(void)
{
	static char folder[] = "/tmp/login_fuzz_XXXXXX";
	struct directory_want w = { .data = -1 };
	struct directory *d;

	log_least(LOG_ERROR_);
	if (conf_parse(STR("hostname = x.test\ntrusted_proxies = 127.0.0.1\n"
			   "[login]\nblock_after = 100000\n"),
		    "", &w.conf, NULL) ||
		mkdtemp(folder) == NULL || fs_open_dir(AT_FDCWD, folder, &w.data, NULL) ||
		directory_open(&w, &d, NULL) || domain_add(d, STR("x.test"), NULL))
		abort();
	return logins_new(d, w.conf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct logins *logins;
	struct login_want want = { .door = DOOR_IMAP,
		.has_binding = size % 2 == 0,
		.peer = { .family = 4, .bytes = { 127, 0, 0, 1 } } };
	str rest = { (const char *)data, size }, line;
	BUF_AUTO out = BUF(LOGIN_STEP_MOST);
	struct login_answer a = { .says = LOGIN_MORE };
	struct login *g;

	if (logins == NULL)
		logins = prepare();
	if (login_begin(logins, &want,
		    size % 4 == 0 ? STR("SCRAM-SHA-256-PLUS") : STR("SCRAM-SHA-256"), &g,
		    NULL))
		abort();
	while (a.says == LOGIN_MORE && str_cut(&rest, '\n', &line))
		login_step(g, line, &out, &a);
	if (a.says == LOGIN_OK)
		abort(); /* there is nobody with a password */
	login_free(&g);
	return 0;
}
