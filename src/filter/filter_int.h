/* SPDX-License-Identifier: ISC */
/* filter, inside: settings that are lists, and what clamd's answers mean. */
#pragma once

#include "conf/conf.h"
#include "filter/filter.h"

/* What stands behind NAME= in [filter] scores and [clamav] families. */
enum setting_act { SETTING_NONE, SETTING_SCORE, SETTING_OFF, SETTING_REFUSE };

/* [filter] scores for a check; SETTING_NONE: nothing is set. */
enum setting_act score_setting(str scores, str name, int32_t *score);
/* [clamav] families for a signature's name: first match, '*' for anything, in any
 * case; SETTING_REFUSE where none matches or the text cannot be read. */
enum setting_act family_of(str families, str name, int32_t *score);
/* Is `word` one of the list, in any case? */
bool in_list(str list, str word);

/* The settings of e, or their defaults. */
const struct conf_filter *filter_settings(const struct evidence *e);
str family_settings(const struct evidence *e);
