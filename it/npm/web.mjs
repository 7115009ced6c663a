// SPDX-License-Identifier: ISC
// Debian's Chromium on pages of the real server: one step a line.  Standard input: a JSON object for each step;
// standard output: what was seen, a JSON object for each.  test_web_browser.py says which steps there are.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const axe = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const contexts = new Map();
let browser;

// A person with a browser of their own: language, scripts, colours, size of the window.
async function open({ who, language, scripts = true, dark = false, width = 1280, height = 900 }) {
	const context = await browser.newContext({
		locale: language, javaScriptEnabled: scripts, colorScheme: dark ? 'dark' : 'light',
		viewport: { width, height }, ignoreHTTPSErrors: true, deviceScaleFactor: 1, timezoneId: 'Europe/Berlin',
	});
	const page = await context.newPage();
	const seen = { complaints: [], requests: [] };
	page.on('console', m => seen.complaints.push(`${m.type()}: ${m.text()}`));
	page.on('pageerror', e => seen.complaints.push(`error: ${e.message}`));
	page.on('requestfailed', r => seen.complaints.push(`failed: ${r.url()} ${r.failure()?.errorText}`));
	context.on('request', r => seen.requests.push(r.url()));
	contexts.set(who, { context, page, seen, scripts });
	return {};
}

function look(at) {
	return at.page.evaluate(() => {
		const root = document.documentElement;
		return {
			title: document.title, heading: document.querySelector('h1')?.textContent, language: root.lang,
			text: document.body.innerText, wide: root.scrollWidth - root.clientWidth,
			links: [...document.links].map(a => a.getAttribute('href')),
			focus: document.activeElement?.id || document.activeElement?.textContent?.trim().slice(0, 60) || '',
		};
	});
}

// Evaluating is not the page's own script: it works with scripts off, too.
const steps = {
	open,
	go: async (at, { url }) => {
		const answer = await at.page.goto(url, { waitUntil: 'load' });
		return { status: answer.status(), ...await look(at) };
	},
	see: at => look(at),
	fill: async (at, { name, text }) => { await at.page.fill(`[name=${name}]`, text); return {}; },
	press: async (at, { button }) => {
		await Promise.all([at.page.waitForNavigation({ timeout: 60000 }), at.page.click(button)]);
		return look(at);
	},
	keys: async (at, { keys, wait }) => {
		const moved = wait ? at.page.waitForNavigation({ timeout: 60000 }) : null;
		for (const key of keys)
			if (key.startsWith('type:'))
				await at.page.keyboard.type(key.slice(5));
			else
				await at.page.keyboard.press(key);
		await moved;
		return look(at);
	},
	// As a browser without scripts would (axe needs some), perhaps with another form token.
	without: async (at, { token }) => {
		await Promise.all([at.page.waitForNavigation(), at.page.evaluate(token => {
			document.forms[0].elements.proof.value = '';
			if (token)
				document.forms[0].elements.token.value = token;
			document.forms[0].submit();
		}, token)]);
		return look(at);
	},
	back: async at => { await at.page.goBack(); return look(at); },
	colours: async (at, { dark }) => { await at.page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' }); return {}; },
	size: async (at, { width, height }) => { await at.page.setViewportSize({ width, height }); return look(at); },
	shot: async (at, { path }) => { await at.page.screenshot({ path, fullPage: true }); return {}; },
	print: async (at, { path }) => {
		const pdf = await at.page.pdf({ path, format: 'A4' });
		return { bytes: pdf.length };
	},
	faults: async at => {
		// as DevTools would: not by a <script> of the page's, which its policy forbids
		await at.page.evaluate(axe);
		const found = await at.page.evaluate(() => window.axe.run(document));
		return {
			passed: found.passes.length,
			faults: found.violations.map(v => ({
				id: v.id, impact: v.impact, help: v.help,
				where: v.nodes.map(n => `${n.target.join(' ')}: ${n.failureSummary}`),
			})),
		};
	},
	seen: at => ({ complaints: at.seen.complaints, requests: at.seen.requests }),
	close: async (at, { who }) => { await at.context.close(); contexts.delete(who); return {}; },
};

async function main() {
	browser = await chromium.launch({
		executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage',
			`--host-resolver-rules=MAP ${process.env.HOSTNAME_MAPPED} 127.0.0.1`],
	});
	console.log(JSON.stringify({ ready: browser.version() }));
	for await (const line of createInterface({ input: process.stdin })) {
		const { step, ...rest } = JSON.parse(line);
		try {
			const answer = step === 'open' ? await open(rest) : await steps[step](contexts.get(rest.who), rest);
			console.log(JSON.stringify(answer ?? {}));
		} catch (e) {
			console.log(JSON.stringify({ error: e.stack }));
		}
	}
	await browser.close();
}

await main();
