// SPDX-License-Identifier: ISC
// The refusal page's script: in the page it looks after the form, in a worker (the same file) it does the work.
// Without it the form goes to a second step that takes a little patience.

import { Progress, Task, work } from "./work";

class Appeal {
	private worker: Worker | null = null;
	private pressed = false;
	private sent = false;	// a second press would only be told that there was a first

	constructor(private readonly form: HTMLFormElement, private readonly script: string) {
		form.addEventListener("focusin", () => this.begin(), { once: true });
		form.addEventListener("submit", (event) => this.submit(event));
		window.addEventListener("pageshow", (event) => this.again(event.persisted));
	}

	private field(name: string): HTMLInputElement | null {
		return this.form.querySelector<HTMLInputElement>(`input[name="${name}"]`);
	}

	private value(name: string): string {
		return this.field(name)?.value ?? "";
	}

	private begin(): void {
		const task: Task = { stamp: this.value("stamp"), bits: Number(this.value("bits")) };

		if (this.worker !== null || this.value("proof") !== "" || !(task.bits > 0))
			return;
		try {
			this.worker = new Worker(this.script);
		} catch {
			return;
		}
		this.worker.addEventListener("message", (m: MessageEvent<Progress>) => this.hear(m.data));
		this.worker.addEventListener("error", () => this.end());
		this.worker.postMessage(task);
	}

	private hear(p: Progress): void {
		const bar = this.form.querySelector("progress");

		if (bar !== null)
			bar.value = p.part;
		if (p.proof === "")
			return;
		const field = this.field("proof");
		if (field !== null)
			field.value = p.proof;
		this.end();
	}

	// Found, or it cannot be: the server then asks for the second step.
	private end(): void {
		this.worker?.terminate();
		this.worker = null;
		if (!this.pressed)
			return;
		this.sent = true;
		this.form.submit();
	}

	private submit(event: Event): void {
		this.begin();
		if (this.worker === null && !this.sent) {
			this.sent = true;
			return;
		}
		event.preventDefault();
		this.show(true);
	}

	// Who comes back by the browser's button finds a form that can be sent.  Some browsers put what was in
	// hidden fields into a page that they loaded anew: that proof was for another stamp.
	private again(kept: boolean): void {
		const field = this.field("proof");

		if (!kept && this.worker === null && field !== null)
			field.value = "";
		this.sent = false;
		this.show(false);
	}

	private show(working: boolean): void {
		const status = this.form.querySelector<HTMLElement>("[role=status]");
		const bar = this.form.querySelector("progress");

		this.pressed = working;
		this.form.toggleAttribute("data-busy", working);
		if (status !== null)
			status.textContent = working ? this.form.dataset["working"] ?? "" : "";
		if (bar !== null)
			bar.hidden = !working;
	}
}

// Times are told in UTC; who reads them has a clock of their own.
function localTimes(): void {
	const pattern = document.body.dataset["local"] ?? "";
	const language = document.documentElement.lang;
	// "en" alone would be American
	const theirs = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;

	if (!pattern.includes("%"))
		return;
	for (const time of document.querySelectorAll<HTMLTimeElement>("time[data-clock]")) {
		const when = new Date(time.dateTime);
		if (isNaN(when.getTime()) || when.getTimezoneOffset() === 0)
			continue;
		const said = when.toLocaleString(theirs, { dateStyle: "long", timeStyle: "short" });
		const small = document.createElement("small");
		small.textContent = pattern.replace("%", () => said);
		time.after(" ", small);
	}
}

function page(): void {
	const script = document.currentScript;
	const form = document.querySelector<HTMLFormElement>("form[data-appeal]");

	if (form !== null && script instanceof HTMLScriptElement)
		new Appeal(form, script.src);
	localTimes();
}

if (typeof document === "undefined")
	self.addEventListener("message", (m: MessageEvent<Task>) => work(m.data, (p) => self.postMessage(p)));
else
	page();
