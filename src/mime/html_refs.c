/* SPDX-License-Identifier: ISC */
/*
 * Character references (WHATWG 13.2.5.72 and on): those of HTML 4 and what of the
 * others is ASCII, Latin, Cyrillic or general punctuation.
 */
#include "mime/html_int.h"
#include "mime/utf8.h"

struct ref {
	str name;
	uint16_t c;
	bool bare; /* also without ';' */
};

#define R(name, c, bare) { STR_INIT(#name), c, bare },

/* clang-format off */
/* In the order of str_cmp(). */
static const struct ref refs[] = {
	R(AElig, 0xc6, true) R(AMP, 0x26, true) R(Aacute, 0xc1, true)
	R(Abreve, 0x102, false) R(Acirc, 0xc2, true) R(Acy, 0x410, false)
	R(Agrave, 0xc0, true) R(Alpha, 0x391, false) R(Amacr, 0x100, false)
	R(Aogon, 0x104, false) R(ApplyFunction, 0x2061, false) R(Aring, 0xc5, true)
	R(Atilde, 0xc3, true) R(Auml, 0xc4, true) R(Bcy, 0x411, false)
	R(Beta, 0x392, false) R(CHcy, 0x427, false) R(COPY, 0xa9, true)
	R(Cacute, 0x106, false) R(Ccaron, 0x10c, false) R(Ccedil, 0xc7, true)
	R(Ccirc, 0x108, false) R(Cdot, 0x10a, false) R(Chi, 0x3a7, false)
	R(CloseCurlyDoubleQuote, 0x201d, false) R(CloseCurlyQuote, 0x2019, false)
	R(DJcy, 0x402, false) R(DScy, 0x405, false) R(DZcy, 0x40f, false)
	R(Dagger, 0x2021, false) R(Dcaron, 0x10e, false) R(Dcy, 0x414, false)
	R(Delta, 0x394, false) R(DiacriticalGrave, 0x60, false) R(Dstrok, 0x110, false)
	R(ENG, 0x14a, false) R(ETH, 0xd0, true) R(Eacute, 0xc9, true)
	R(Ecaron, 0x11a, false) R(Ecirc, 0xca, true) R(Ecy, 0x42d, false)
	R(Edot, 0x116, false) R(Egrave, 0xc8, true) R(Emacr, 0x112, false)
	R(Eogon, 0x118, false) R(Epsilon, 0x395, false) R(Eta, 0x397, false)
	R(Euml, 0xcb, true) R(Fcy, 0x424, false) R(GJcy, 0x403, false) R(GT, 0x3e, true)
	R(Gamma, 0x393, false) R(Gbreve, 0x11e, false) R(Gcedil, 0x122, false)
	R(Gcirc, 0x11c, false) R(Gcy, 0x413, false) R(Gdot, 0x120, false)
	R(HARDcy, 0x42a, false) R(Hat, 0x5e, false) R(Hcirc, 0x124, false)
	R(Hstrok, 0x126, false) R(IEcy, 0x415, false) R(IJlig, 0x132, false)
	R(IOcy, 0x401, false) R(Iacute, 0xcd, true) R(Icirc, 0xce, true)
	R(Icy, 0x418, false) R(Idot, 0x130, false) R(Igrave, 0xcc, true)
	R(Imacr, 0x12a, false) R(InvisibleComma, 0x2063, false)
	R(InvisibleTimes, 0x2062, false) R(Iogon, 0x12e, false) R(Iota, 0x399, false)
	R(Itilde, 0x128, false) R(Iukcy, 0x406, false) R(Iuml, 0xcf, true)
	R(Jcirc, 0x134, false) R(Jcy, 0x419, false) R(Jsercy, 0x408, false)
	R(Jukcy, 0x404, false) R(KHcy, 0x425, false) R(KJcy, 0x40c, false)
	R(Kappa, 0x39a, false) R(Kcedil, 0x136, false) R(Kcy, 0x41a, false)
	R(LJcy, 0x409, false) R(LT, 0x3c, true) R(Lacute, 0x139, false)
	R(Lambda, 0x39b, false) R(Lcaron, 0x13d, false) R(Lcedil, 0x13b, false)
	R(Lcy, 0x41b, false) R(Lmidot, 0x13f, false) R(Lstrok, 0x141, false)
	R(Mcy, 0x41c, false) R(MediumSpace, 0x205f, false) R(Mu, 0x39c, false)
	R(NJcy, 0x40a, false) R(Nacute, 0x143, false) R(Ncaron, 0x147, false)
	R(Ncedil, 0x145, false) R(Ncy, 0x41d, false)
	R(NegativeMediumSpace, 0x200b, false) R(NegativeThickSpace, 0x200b, false)
	R(NegativeThinSpace, 0x200b, false) R(NegativeVeryThinSpace, 0x200b, false)
	R(NewLine, 0xa, false) R(NoBreak, 0x2060, false) R(NonBreakingSpace, 0xa0, false)
	R(Ntilde, 0xd1, true) R(Nu, 0x39d, false) R(OElig, 0x152, false)
	R(Oacute, 0xd3, true) R(Ocirc, 0xd4, true) R(Ocy, 0x41e, false)
	R(Odblac, 0x150, false) R(Ograve, 0xd2, true) R(Omacr, 0x14c, false)
	R(Omega, 0x3a9, false) R(Omicron, 0x39f, false)
	R(OpenCurlyDoubleQuote, 0x201c, false) R(OpenCurlyQuote, 0x2018, false)
	R(Oslash, 0xd8, true) R(Otilde, 0xd5, true) R(Ouml, 0xd6, true)
	R(OverBar, 0x203e, false) R(Pcy, 0x41f, false) R(Phi, 0x3a6, false)
	R(Pi, 0x3a0, false) R(Prime, 0x2033, false) R(Psi, 0x3a8, false)
	R(QUOT, 0x22, true) R(REG, 0xae, true) R(Racute, 0x154, false)
	R(Rcaron, 0x158, false) R(Rcedil, 0x156, false) R(Rcy, 0x420, false)
	R(Rho, 0x3a1, false) R(SHCHcy, 0x429, false) R(SHcy, 0x428, false)
	R(SOFTcy, 0x42c, false) R(Sacute, 0x15a, false) R(Scaron, 0x160, false)
	R(Scedil, 0x15e, false) R(Scirc, 0x15c, false) R(Scy, 0x421, false)
	R(Sigma, 0x3a3, false) R(THORN, 0xde, true) R(TSHcy, 0x40b, false)
	R(TScy, 0x426, false) R(Tab, 0x9, false) R(Tau, 0x3a4, false)
	R(Tcaron, 0x164, false) R(Tcedil, 0x162, false) R(Tcy, 0x422, false)
	R(Theta, 0x398, false) R(ThinSpace, 0x2009, false) R(Tstrok, 0x166, false)
	R(Uacute, 0xda, true) R(Ubrcy, 0x40e, false) R(Ubreve, 0x16c, false)
	R(Ucirc, 0xdb, true) R(Ucy, 0x423, false) R(Udblac, 0x170, false)
	R(Ugrave, 0xd9, true) R(Umacr, 0x16a, false) R(UnderBar, 0x5f, false)
	R(Uogon, 0x172, false) R(Upsilon, 0x3a5, false) R(Uring, 0x16e, false)
	R(Utilde, 0x168, false) R(Uuml, 0xdc, true) R(Vcy, 0x412, false)
	R(Verbar, 0x2016, false) R(Vert, 0x2016, false) R(VerticalLine, 0x7c, false)
	R(VeryThinSpace, 0x200a, false) R(Wcirc, 0x174, false) R(Xi, 0x39e, false)
	R(YAcy, 0x42f, false) R(YIcy, 0x407, false) R(YUcy, 0x42e, false)
	R(Yacute, 0xdd, true) R(Ycirc, 0x176, false) R(Ycy, 0x42b, false)
	R(Yuml, 0x178, false) R(ZHcy, 0x416, false) R(Zacute, 0x179, false)
	R(Zcaron, 0x17d, false) R(Zcy, 0x417, false) R(Zdot, 0x17b, false)
	R(ZeroWidthSpace, 0x200b, false) R(Zeta, 0x396, false) R(aacute, 0xe1, true)
	R(abreve, 0x103, false) R(acirc, 0xe2, true) R(acute, 0xb4, true)
	R(acy, 0x430, false) R(aelig, 0xe6, true) R(af, 0x2061, false)
	R(agrave, 0xe0, true) R(alefsym, 0x2135, false) R(alpha, 0x3b1, false)
	R(amacr, 0x101, false) R(amp, 0x26, true) R(and, 0x2227, false)
	R(ang, 0x2220, false) R(aogon, 0x105, false) R(apos, 0x27, false)
	R(aring, 0xe5, true) R(ast, 0x2a, false) R(asymp, 0x2248, false)
	R(atilde, 0xe3, true) R(auml, 0xe4, true) R(backprime, 0x2035, false)
	R(bcy, 0x431, false) R(bdquo, 0x201e, false) R(beta, 0x3b2, false)
	R(bprime, 0x2035, false) R(brvbar, 0xa6, true) R(bsemi, 0x204f, false)
	R(bsol, 0x5c, false) R(bull, 0x2022, false) R(bullet, 0x2022, false)
	R(cacute, 0x107, false) R(cap, 0x2229, false) R(caret, 0x2041, false)
	R(ccaron, 0x10d, false) R(ccedil, 0xe7, true) R(ccirc, 0x109, false)
	R(cdot, 0x10b, false) R(cedil, 0xb8, true) R(cent, 0xa2, true)
	R(chcy, 0x447, false) R(chi, 0x3c7, false) R(circ, 0x2c6, false)
	R(clubs, 0x2663, false) R(colon, 0x3a, false) R(comma, 0x2c, false)
	R(commat, 0x40, false) R(cong, 0x2245, false) R(copy, 0xa9, true)
	R(crarr, 0x21b5, false) R(cup, 0x222a, false) R(curren, 0xa4, true)
	R(dArr, 0x21d3, false) R(dagger, 0x2020, false) R(darr, 0x2193, false)
	R(dash, 0x2010, false) R(dcaron, 0x10f, false) R(dcy, 0x434, false)
	R(ddagger, 0x2021, false) R(deg, 0xb0, true) R(delta, 0x3b4, false)
	R(diams, 0x2666, false) R(divide, 0xf7, true) R(djcy, 0x452, false)
	R(dollar, 0x24, false) R(dscy, 0x455, false) R(dstrok, 0x111, false)
	R(dzcy, 0x45f, false) R(eacute, 0xe9, true) R(ecaron, 0x11b, false)
	R(ecirc, 0xea, true) R(ecy, 0x44d, false) R(edot, 0x117, false)
	R(egrave, 0xe8, true) R(emacr, 0x113, false) R(empty, 0x2205, false)
	R(emsp, 0x2003, false) R(emsp13, 0x2004, false) R(emsp14, 0x2005, false)
	R(eng, 0x14b, false) R(ensp, 0x2002, false) R(eogon, 0x119, false)
	R(epsilon, 0x3b5, false) R(equals, 0x3d, false) R(equiv, 0x2261, false)
	R(eta, 0x3b7, false) R(eth, 0xf0, true) R(euml, 0xeb, true)
	R(euro, 0x20ac, false) R(excl, 0x21, false) R(exist, 0x2203, false)
	R(fcy, 0x444, false) R(ffilig, 0xfb03, false) R(fflig, 0xfb00, false)
	R(ffllig, 0xfb04, false) R(filig, 0xfb01, false) R(fllig, 0xfb02, false)
	R(fnof, 0x192, false) R(forall, 0x2200, false) R(frac12, 0xbd, true)
	R(frac14, 0xbc, true) R(frac34, 0xbe, true) R(frasl, 0x2044, false)
	R(gamma, 0x3b3, false) R(gbreve, 0x11f, false) R(gcirc, 0x11d, false)
	R(gcy, 0x433, false) R(gdot, 0x121, false) R(ge, 0x2265, false)
	R(gjcy, 0x453, false) R(grave, 0x60, false) R(gt, 0x3e, true)
	R(hArr, 0x21d4, false) R(hairsp, 0x200a, false) R(hardcy, 0x44a, false)
	R(harr, 0x2194, false) R(hcirc, 0x125, false) R(hearts, 0x2665, false)
	R(hellip, 0x2026, false) R(horbar, 0x2015, false) R(hstrok, 0x127, false)
	R(hybull, 0x2043, false) R(hyphen, 0x2010, false) R(iacute, 0xed, true)
	R(ic, 0x2063, false) R(icirc, 0xee, true) R(icy, 0x438, false)
	R(iecy, 0x435, false) R(iexcl, 0xa1, true) R(igrave, 0xec, true)
	R(ijlig, 0x133, false) R(imacr, 0x12b, false) R(image, 0x2111, false)
	R(imath, 0x131, false) R(infin, 0x221e, false) R(inodot, 0x131, false)
	R(int, 0x222b, false) R(iocy, 0x451, false) R(iogon, 0x12f, false)
	R(iota, 0x3b9, false) R(iquest, 0xbf, true) R(isin, 0x2208, false)
	R(it, 0x2062, false) R(itilde, 0x129, false) R(iukcy, 0x456, false)
	R(iuml, 0xef, true) R(jcirc, 0x135, false) R(jcy, 0x439, false)
	R(jsercy, 0x458, false) R(jukcy, 0x454, false) R(kappa, 0x3ba, false)
	R(kcedil, 0x137, false) R(kcy, 0x43a, false) R(kgreen, 0x138, false)
	R(khcy, 0x445, false) R(kjcy, 0x45c, false) R(lArr, 0x21d0, false)
	R(lacute, 0x13a, false) R(lambda, 0x3bb, false) R(lang, 0x2329, false)
	R(laquo, 0xab, true) R(larr, 0x2190, false) R(lbrace, 0x7b, false)
	R(lbrack, 0x5b, false) R(lcaron, 0x13e, false) R(lcedil, 0x13c, false)
	R(lceil, 0x2308, false) R(lcub, 0x7b, false) R(lcy, 0x43b, false)
	R(ldquo, 0x201c, false) R(ldquor, 0x201e, false) R(le, 0x2264, false)
	R(lfloor, 0x230a, false) R(ljcy, 0x459, false) R(lmidot, 0x140, false)
	R(lowast, 0x2217, false) R(lowbar, 0x5f, false) R(loz, 0x25ca, false)
	R(lpar, 0x28, false) R(lrm, 0x200e, false) R(lsaquo, 0x2039, false)
	R(lsqb, 0x5b, false) R(lsquo, 0x2018, false) R(lsquor, 0x201a, false)
	R(lstrok, 0x142, false) R(lt, 0x3c, true) R(macr, 0xaf, true)
	R(mcy, 0x43c, false) R(mdash, 0x2014, false) R(micro, 0xb5, true)
	R(midast, 0x2a, false) R(middot, 0xb7, true) R(minus, 0x2212, false)
	R(mldr, 0x2026, false) R(mu, 0x3bc, false) R(nabla, 0x2207, false)
	R(nacute, 0x144, false) R(napos, 0x149, false) R(nbsp, 0xa0, true)
	R(ncaron, 0x148, false) R(ncedil, 0x146, false) R(ncy, 0x43d, false)
	R(ndash, 0x2013, false) R(ne, 0x2260, false) R(ni, 0x220b, false)
	R(njcy, 0x45a, false) R(nldr, 0x2025, false) R(not, 0xac, true)
	R(notin, 0x2209, false) R(nsub, 0x2284, false) R(ntilde, 0xf1, true)
	R(nu, 0x3bd, false) R(num, 0x23, false) R(numsp, 0x2007, false)
	R(oacute, 0xf3, true) R(ocirc, 0xf4, true) R(ocy, 0x43e, false)
	R(odblac, 0x151, false) R(oelig, 0x153, false) R(ograve, 0xf2, true)
	R(oline, 0x203e, false) R(omacr, 0x14d, false) R(omega, 0x3c9, false)
	R(omicron, 0x3bf, false) R(oplus, 0x2295, false) R(or, 0x2228, false)
	R(ordf, 0xaa, true) R(ordm, 0xba, true) R(oslash, 0xf8, true)
	R(otilde, 0xf5, true) R(otimes, 0x2297, false) R(ouml, 0xf6, true)
	R(para, 0xb6, true) R(part, 0x2202, false) R(pcy, 0x43f, false)
	R(percnt, 0x25, false) R(period, 0x2e, false) R(permil, 0x2030, false)
	R(perp, 0x22a5, false) R(pertenk, 0x2031, false) R(phi, 0x3c6, false)
	R(pi, 0x3c0, false) R(piv, 0x3d6, false) R(plus, 0x2b, false)
	R(plusmn, 0xb1, true) R(pound, 0xa3, true) R(prime, 0x2032, false)
	R(prod, 0x220f, false) R(prop, 0x221d, false) R(psi, 0x3c8, false)
	R(puncsp, 0x2008, false) R(qprime, 0x2057, false) R(quest, 0x3f, false)
	R(quot, 0x22, true) R(rArr, 0x21d2, false) R(racute, 0x155, false)
	R(radic, 0x221a, false) R(rang, 0x232a, false) R(raquo, 0xbb, true)
	R(rarr, 0x2192, false) R(rbrace, 0x7d, false) R(rbrack, 0x5d, false)
	R(rcaron, 0x159, false) R(rcedil, 0x157, false) R(rceil, 0x2309, false)
	R(rcub, 0x7d, false) R(rcy, 0x440, false) R(rdquo, 0x201d, false)
	R(rdquor, 0x201d, false) R(real, 0x211c, false) R(reg, 0xae, true)
	R(rfloor, 0x230b, false) R(rho, 0x3c1, false) R(rlm, 0x200f, false)
	R(rpar, 0x29, false) R(rsaquo, 0x203a, false) R(rsqb, 0x5d, false)
	R(rsquo, 0x2019, false) R(rsquor, 0x2019, false) R(sacute, 0x15b, false)
	R(sbquo, 0x201a, false) R(scaron, 0x161, false) R(scedil, 0x15f, false)
	R(scirc, 0x15d, false) R(scy, 0x441, false) R(sdot, 0x22c5, false)
	R(sect, 0xa7, true) R(semi, 0x3b, false) R(shchcy, 0x449, false)
	R(shcy, 0x448, false) R(shy, 0xad, true) R(sigma, 0x3c3, false)
	R(sigmaf, 0x3c2, false) R(sim, 0x223c, false) R(softcy, 0x44c, false)
	R(sol, 0x2f, false) R(spades, 0x2660, false) R(sub, 0x2282, false)
	R(sube, 0x2286, false) R(sum, 0x2211, false) R(sup, 0x2283, false)
	R(sup1, 0xb9, true) R(sup2, 0xb2, true) R(sup3, 0xb3, true)
	R(supe, 0x2287, false) R(szlig, 0xdf, true) R(tau, 0x3c4, false)
	R(tcaron, 0x165, false) R(tcedil, 0x163, false) R(tcy, 0x442, false)
	R(there4, 0x2234, false) R(theta, 0x3b8, false) R(thetasym, 0x3d1, false)
	R(thinsp, 0x2009, false) R(thorn, 0xfe, true) R(tilde, 0x2dc, false)
	R(times, 0xd7, true) R(tprime, 0x2034, false) R(trade, 0x2122, false)
	R(tscy, 0x446, false) R(tshcy, 0x45b, false) R(tstrok, 0x167, false)
	R(uArr, 0x21d1, false) R(uacute, 0xfa, true) R(uarr, 0x2191, false)
	R(ubrcy, 0x45e, false) R(ubreve, 0x16d, false) R(ucirc, 0xfb, true)
	R(ucy, 0x443, false) R(udblac, 0x171, false) R(ugrave, 0xf9, true)
	R(umacr, 0x16b, false) R(uml, 0xa8, true) R(uogon, 0x173, false)
	R(upsih, 0x3d2, false) R(upsilon, 0x3c5, false) R(uring, 0x16f, false)
	R(utilde, 0x169, false) R(uuml, 0xfc, true) R(vcy, 0x432, false)
	R(verbar, 0x7c, false) R(vert, 0x7c, false) R(wcirc, 0x175, false)
	R(weierp, 0x2118, false) R(xi, 0x3be, false) R(yacute, 0xfd, true)
	R(yacy, 0x44f, false) R(ycirc, 0x177, false) R(ycy, 0x44b, false)
	R(yen, 0xa5, true) R(yicy, 0x457, false) R(yucy, 0x44e, false)
	R(yuml, 0xff, true) R(zacute, 0x17a, false) R(zcaron, 0x17e, false)
	R(zcy, 0x437, false) R(zdot, 0x17c, false) R(zeta, 0x3b6, false)
	R(zhcy, 0x436, false) R(zwj, 0x200d, false) R(zwnj, 0x200c, false)
};
/* clang-format on */

enum { BARE_LEAST = 2, BARE_MOST = 6, NAME_MOST = 32 };

static const struct ref *
find(str name)
{
	size_t low = 0, high = sizeof(refs) / sizeof(refs[0]);

	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = str_cmp(name, refs[mid].name);

		if (c == 0)
			return &refs[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

static bool
alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static int
digit(char c, bool hex)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return hex && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 13.2.5.80: what windows-1252 has there. */
static uint32_t
remapped(uint32_t c)
{
	static const uint16_t high[32] = { 0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026,
		0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d,
		0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
		0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178 };

	if (c >= 0x80 && c < 0xa0)
		return high[c - 0x80];
	return c == 0 ? UTF8_REPLACEMENT : c;
}

/* "#8364;", "#x20AC" behind the '&'. */
static size_t
numeric(str s, char out[8], size_t *n)
{
	bool hex = s.len > 1 && (s.ptr[1] | 0x20) == 'x';
	size_t from = hex ? 2 : 1, i = from;
	uint32_t c = 0;

	for (; i < s.len && digit(s.ptr[i], hex) >= 0; i++)
		if (c <= 0x10ffff)
			c = c * (hex ? 16 : 10) + (uint32_t)digit(s.ptr[i], hex);
	if (i == from)
		return 0;
	*n = utf8_put(remapped(c), out);
	return 1 + i + (i < s.len && s.ptr[i] == ';' ? 1 : 0);
}

size_t
html_ref(str s, bool in_attribute, char out[8], size_t *n)
{
	str name = str_skip(s, 1);
	const struct ref *r = NULL;
	size_t len = 0;

	if (name.len == 0)
		return 0;
	if (name.ptr[0] == '#')
		return numeric(name, out, n);
	while (len < name.len && len < NAME_MOST && alnum(name.ptr[len]))
		len++;
	if (len < name.len && name.ptr[len] == ';')
		r = find(str_first(name, len));
	if (r != NULL) {
		*n = utf8_put(r->c, out);
		return len + 2;
	}
	for (len = len < BARE_MOST ? len : BARE_MOST; len >= BARE_LEAST; len--) {
		char next = len < name.len ? name.ptr[len] : ' ';

		r = find(str_first(name, len));
		if (r == NULL || !r->bare)
			continue;
		if (in_attribute && (next == '=' || alnum(next)))
			return 0;
		*n = utf8_put(r->c, out);
		return len + 1;
	}
	return 0;
}
