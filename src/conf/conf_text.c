/* SPDX-License-Identifier: ISC */
/* The settings as texts: dump, manual, and the file that `init` writes. */
#include "conf/conf_int.h"

static bool
new_section(const struct conf_row *row)
{
	return row == conf_rows ? row->section[0] != '\0'
				: strcmp(row->section, row[-1].section) != 0;
}

void
conf_dump(const struct conf *c, struct buf *out)
{
	for (const struct conf_row *row = conf_rows; row->name != NULL; row++) {
		if (new_section(row))
			buf_addf(out, "\n[%s]\n", row->section);
		buf_addf(out, "%s = ", row->name);
		conf_value_put(row, c, out);
		buf_addc(out, '\n');
	}
}

/* Text lines of mdoc: a backslash is \e, and no line may begin with a point. */
static void
put_roff(const char *text, struct buf *out)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\\')
			buf_addz(out, "\\e");
		else if (*p == '-')
			buf_addz(out, "\\-");
		else
			buf_addc(out, *p);
	}
}

static void
put_entry(const struct conf_row *row, struct buf *out)
{
	BUF_AUTO kind = BUF(400);

	conf_value_kind(row, &kind);
	buf_addf(out, ".It Ic %s\n", row->name);
	put_roff(row->doc, out);
	buf_addz(out, "\n.br\nValue: ");
	put_roff(buf_z(&kind), out);
	if (row->standard[0] == '\0') {
		buf_addz(out, ".\n");
		return;
	}
	buf_addz(out, "; default ");
	put_roff(row->standard, out);
	buf_addz(out, ".\n");
}

void
conf_manual(struct buf *out)
{
	bool open = false;

	for (const struct conf_row *row = conf_rows; row->name != NULL; row++) {
		if (open && new_section(row)) {
			buf_addz(out, ".El\n");
			open = false;
		}
		if (!open) {
			if (row->section[0] == '\0')
				buf_addz(out, ".Ss Before the first section\n");
			else
				buf_addf(out, ".Ss [%s]\n", row->section);
			buf_addz(out, ".Bl -tag -width Ds\n");
			open = true;
		}
		put_entry(row, out);
	}
	buf_addz(out, ".El\n");
}

/* A comment, folded at 78 columns. */
static void
put_comment(const char *text, struct buf *out)
{
	size_t column = 0;
	str rest = str_of(text), word;

	while (str_cut(&rest, ' ', &word)) {
		if (column == 0 || column + 1 + word.len > 78) {
			buf_addf(out, "%s#", column == 0 ? "" : "\n");
			column = 1;
		}
		buf_addf(out, " " STR_FMT, STR_ARG(word));
		column += 1 + word.len;
	}
	buf_addc(out, '\n');
}

static const char *
given(const struct conf_row *row, const struct conf_given *set)
{
	for (; row->section[0] == '\0' && set->name != NULL; set++)
		if (strcmp(set->name, row->name) == 0)
			return set->value;
	return NULL;
}

void
conf_template(const struct conf_given *set, struct buf *out)
{
	put_comment("Settings of Gatepost; gatepost.conf(5) explains them. "
		    "What is commented out stands at its default.",
		out);
	for (const struct conf_row *row = conf_rows; row->name != NULL; row++) {
		const char *value = given(row, set);

		if (new_section(row))
			buf_addf(out, "\n[%s]\n", row->section);
		buf_addc(out, '\n');
		put_comment(row->doc, out);
		if (value != NULL)
			buf_addf(out, "%s = %s\n", row->name, value);
		else
			buf_addf(out, "#%s = %s\n", row->name, row->standard);
	}
}
