/* SPDX-License-Identifier: ISC */
#include "say/ui.h"

const char *
ui_url(const char *plain)
{
	for (const struct ui_asset *a = ui_assets; a->name != NULL; a++)
		if (strcmp(a->plain, plain) == 0)
			return a->url;
	return NULL;
}
