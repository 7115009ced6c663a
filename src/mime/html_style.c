/* SPDX-License-Identifier: ISC */
/* Of CSS what decides whether text is seen. */
#include "mime/html_int.h"

enum { COLOUR_CLEAR = 2 << 24 /* transparent */ };

/* Lower case, without comments. */
static str
plain(str css, char *out, size_t room)
{
	size_t n = 0;

	while (css.len > 0 && n < room) {
		char c = css.ptr[0];

		if (c == '/' && css.len > 1 && css.ptr[1] == '*') {
			css = str_skip(css, 2);
			css = str_skip(css, str_find(css, STR("*/")) + 2);
			continue;
		}
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		out[n++] = (unsigned char)c < ' ' ? ' ' : c;
		css = str_skip(css, 1);
	}
	return (str){ out, n };
}

/* Up to the ';' that ends a declaration. */
static str
declaration(str *css)
{
	char quote = 0;
	unsigned depth = 0;
	str all = *css;
	size_t i = 0;

	for (; i < all.len; i++) {
		char c = all.ptr[i];

		if (quote != 0)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (c == ';' && depth == 0)
			break;
	}
	*css = str_skip(all, i + 1);
	return str_first(all, i);
}

/* A number at the front in thousandths; what is behind it stays. */
static bool
number(str *s, long *out)
{
	long v = 0, unit = 1000;
	bool minus = str_starts(*s, STR("-")), point = false, any = false;
	size_t i = minus ? 1 : 0;

	for (; i < s->len; i++) {
		char c = s->ptr[i];

		if (c == '.' && !point)
			point = true;
		else if (c < '0' || c > '9')
			break;
		else if (!point) {
			any = true;
			if (v < 1000000000)
				v = v * 10 + (c - '0') * 1000;
		} else {
			any = true;
			unit /= 10;
			v += (c - '0') * unit;
		}
	}
	*s = str_skip(*s, i);
	*out = minus ? -v : v;
	return any;
}

static const struct {
	str name;
	uint32_t rgb;
} colours[] = {
	{ STR_INIT("white"), 0xffffff },
	{ STR_INIT("black"), 0 },
	{ STR_INIT("red"), 0xff0000 },
	{ STR_INIT("green"), 0x008000 },
	{ STR_INIT("blue"), 0x0000ff },
	{ STR_INIT("yellow"), 0xffff00 },
	{ STR_INIT("orange"), 0xffa500 },
	{ STR_INIT("gray"), 0x808080 },
	{ STR_INIT("grey"), 0x808080 },
	{ STR_INIT("silver"), 0xc0c0c0 },
	{ STR_INIT("navy"), 0x000080 },
	{ STR_INIT("teal"), 0x008080 },
	{ STR_INIT("purple"), 0x800080 },
	{ STR_INIT("maroon"), 0x800000 },
	{ STR_INIT("lime"), 0x00ff00 },
	{ STR_INIT("aqua"), 0x00ffff },
	{ STR_INIT("cyan"), 0x00ffff },
	{ STR_INIT("fuchsia"), 0xff00ff },
	{ STR_INIT("magenta"), 0xff00ff },
	{ STR_INIT("olive"), 0x808000 },
	{ STR_INIT("whitesmoke"), 0xf5f5f5 },
	{ STR_INIT("snow"), 0xfffafa },
	{ STR_INIT("ivory"), 0xfffff0 },
	{ STR_INIT("ghostwhite"), 0xf8f8ff },
	{ STR_INIT("floralwhite"), 0xfffaf0 },
	{ STR_INIT("transparent"), COLOUR_CLEAR },
};

static uint32_t
hex_colour(str s)
{
	uint32_t v = 0;

	if (s.len != 3 && s.len != 6 && s.len != 4 && s.len != 8)
		return COLOUR_NONE;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i] >= 'A' ? (char)(s.ptr[i] | 0x20) : s.ptr[i];
		uint32_t d = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
			     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
						    : 16;

		if (d > 15)
			return COLOUR_NONE;
		v = v << 4 | d;
		if (s.len < 6)
			v = v << 4 | d;
	}
	if (s.len == 4 || s.len == 8) {
		if ((v & 0xff) == 0)
			return COLOUR_CLEAR;
		v >>= 8;
	}
	return COLOUR_SET | v;
}

/* rgb(1, 2, 3), rgba(1 2 3 / 0) */
static uint32_t
rgb_colour(str s)
{
	long v[4] = { 0, 0, 0, 1000 };

	s = str_skip(s, str_find(s, STR("(")) + 1);
	for (size_t i = 0; i < 4; i++) {
		while (s.len > 0 && memchr(" ,/%", s.ptr[0], 4) != NULL)
			s = str_skip(s, 1);
		if (!number(&s, &v[i])) {
			if (i < 3)
				return COLOUR_NONE;
			v[i] = 1000;
		}
		if (i < 3 && s.len > 0 && s.ptr[0] == '%')
			v[i] = v[i] * 255 / 100;
		v[i] = v[i] < 0 ? 0 : v[i] > 255000 ? 255000 : v[i];
	}
	if (v[3] == 0)
		return COLOUR_CLEAR;
	return COLOUR_SET | (uint32_t)(v[0] / 1000) << 16 | (uint32_t)(v[1] / 1000) << 8 |
	       (uint32_t)(v[2] / 1000);
}

uint32_t
html_colour(str value)
{
	value = str_trim(value);
	if (str_starts(value, STR("#")))
		return hex_colour(str_skip(value, 1));
	if (str_istarts(value, STR("rgb")))
		return rgb_colour(value);
	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (str_ieq(value, colours[i].name))
			return colours[i].rgb == COLOUR_CLEAR
				       ? COLOUR_CLEAR
				       : COLOUR_SET | colours[i].rgb;
	return hex_colour(value); /* <font color=ffffff> */
}

enum property {
	P_BACKGROUND,
	P_BACKGROUND_COLOR,
	P_BACKGROUND_IMAGE,
	P_CLIP,
	P_COLOR,
	P_DISPLAY,
	P_FONT,
	P_FONT_SIZE,
	P_HEIGHT,
	P_LEFT,
	P_MAX_HEIGHT,
	P_MAX_WIDTH,
	P_OPACITY,
	P_OVERFLOW,
	P_TEXT_INDENT,
	P_TOP,
	P_VISIBILITY,
	P_WIDTH,
	PROPERTIES,
};

static const str properties[PROPERTIES] = {
	[P_BACKGROUND] = STR_INIT("background"),
	[P_BACKGROUND_COLOR] = STR_INIT("background-color"),
	[P_BACKGROUND_IMAGE] = STR_INIT("background-image"),
	[P_CLIP] = STR_INIT("clip"),
	[P_COLOR] = STR_INIT("color"),
	[P_DISPLAY] = STR_INIT("display"),
	[P_FONT] = STR_INIT("font"),
	[P_FONT_SIZE] = STR_INIT("font-size"),
	[P_HEIGHT] = STR_INIT("height"),
	[P_LEFT] = STR_INIT("left"),
	[P_MAX_HEIGHT] = STR_INIT("max-height"),
	[P_MAX_WIDTH] = STR_INIT("max-width"),
	[P_OPACITY] = STR_INIT("opacity"),
	[P_OVERFLOW] = STR_INIT("overflow"),
	[P_TEXT_INDENT] = STR_INIT("text-indent"),
	[P_TOP] = STR_INIT("top"),
	[P_VISIBILITY] = STR_INIT("visibility"),
	[P_WIDTH] = STR_INIT("width"),
};

/* At most a pixel, or a twentieth of what is around it. */
static bool
tiny(str value)
{
	long v;

	if (!number(&value, &v) || v < 0)
		return false;
	if (str_starts(value, STR("%")))
		return v <= 5000;
	if (str_starts(value, STR("em")) || str_starts(value, STR("rem")) ||
		str_starts(value, STR("ex")))
		return v <= 50;
	return v <= 1000;
}

static bool
far_off(str value)
{
	long v;

	return number(&value, &v) && v <= -500 * 1000;
}

/* "font: italic 0/0 a": the size is the first number that is no weight. */
static str
font_size(str value)
{
	while (value.len > 0) {
		str word, probe;
		long v;

		(void)str_cut(&value, ' ', &word);
		probe = word;
		if (number(&probe, &v) && (v < 100 * 1000 || probe.len > 0))
			return word;
	}
	return (str){ 0 };
}

static void
background(str value, struct html_style *s)
{
	while (value.len > 0) {
		str word;
		size_t open = str_find(value, STR("("));
		uint32_t c;

		if (str_starts(value, STR("rgb"))) {
			word = str_first(value, str_find(value, STR(")")) + 1);
			value = str_skip(value, word.len);
		} else if (str_starts(value, STR("url")) ||
			   str_find(str_first(value, open), STR("gradient")) < open) {
			s->surface_unknown = true;
			return;
		} else
			(void)str_cut(&value, ' ', &word);
		c = html_colour(word);
		if ((c & COLOUR_SET) != 0) {
			s->surface = c;
			s->surface_unknown = false;
		}
		value = str_trim(value);
	}
}

struct box {
	bool none; /* display, which has the last word itself */
	bool small, clipped; /* a side of it; what does not fit is not shown */
};

static void
apply(enum property p, str value, struct html_style *s, struct box *box)
{
	switch (p) {
	case P_DISPLAY:
		box->none = str_starts(value, STR("none"));
		break;
	case P_VISIBILITY:
		s->invisible = str_starts(value, STR("hidden")) ||
			       str_starts(value, STR("collapse"));
		break;
	case P_FONT:
		value = font_size(value);
		if (value.len > 0)
			s->tiny = tiny(value);
		break;
	case P_FONT_SIZE:
		s->tiny = tiny(value);
		break;
	case P_COLOR: {
		uint32_t c = html_colour(value);

		if (c != COLOUR_NONE)
			s->ink = c;
		break;
	}
	case P_BACKGROUND:
	case P_BACKGROUND_COLOR:
	case P_BACKGROUND_IMAGE:
		background(value, s);
		break;
	case P_OPACITY: {
		long v;

		s->gone |= number(&value, &v) && v <= 10;
		break;
	}
	case P_HEIGHT:
	case P_WIDTH:
	case P_MAX_HEIGHT:
	case P_MAX_WIDTH:
		box->small |= tiny(value);
		break;
	case P_OVERFLOW:
		box->clipped |= str_starts(value, STR("hidden"));
		break;
	case P_LEFT:
	case P_TOP:
	case P_TEXT_INDENT:
		s->gone |= far_off(value);
		break;
	case P_CLIP:
		s->gone |= str_starts(value, STR("rect(0"));
		break;
	case PROPERTIES:
		break;
	}
}

bool
html_style(str css, char scratch[HTML_CSS], struct html_style *s)
{
	struct box box = { .none = false };
	uint32_t fixed = 0; /* properties that were "!important" */
	str rest = plain(css, scratch, HTML_CSS);
	bool fetches = str_find(rest, STR("url(")) < rest.len;

	while (rest.len > 0) {
		str value = declaration(&rest), name;

		if (!str_cut(&value, ':', &name))
			continue;
		name = str_trim(name);
		value = str_trim(value);
		for (unsigned p = 0; p < PROPERTIES; p++) {
			bool important;

			if (!str_eq(name, properties[p]))
				continue;
			important = str_find(value, STR("!")) < value.len;
			if ((fixed >> p & 1) == 0 || important)
				apply((enum property)p, value, s, &box);
			fixed |= (uint32_t)important << p;
		}
	}
	s->gone |= box.none || (box.small && box.clipped);
	return fetches;
}

/* So near that nobody can read it. */
static bool
same_colour(uint32_t a, uint32_t b)
{
	int sum = 0;

	for (unsigned i = 0; i < 24; i += 8) {
		int d = (int)(a >> i & 0xff) - (int)(b >> i & 0xff);

		sum += d < 0 ? -d : d;
	}
	return sum <= 24;
}

bool
html_unseen(const struct html_style *s)
{
	return s->gone || s->invisible || s->tiny || s->ink == COLOUR_CLEAR ||
	       (!s->surface_unknown && same_colour(s->ink, s->surface));
}
