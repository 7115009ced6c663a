// SPDX-License-Identifier: ISC
// What test_thunderbird.py has Thunderbird do, as a body of a function that Marionette calls
// with a step's name, what it needs, and whom to tell the result.
const [step, given, done] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.accounts[0].incomingServer;
const root = server.rootFolder;
const win = Services.wm.getMostRecentWindow("mail:3pane");
const wait = ms => new Promise(call => win.setTimeout(call, ms));

async function until(what, name, ms = 20000) {
	for (const end = Date.now() + ms; ;) {
		try {
			const value = what();
			if (value)
				return value;
		} catch { /* not yet */ }
		if (Date.now() > end)
			throw new Error(`in vain: ${name}`);
		await wait(20);
	}
}

const special = name => root.getFolderWithFlags(Ci.nsMsgFolderFlags[name]);
const inbox = () => special("Inbox");
const folder = name => name === "INBOX" ? inbox() : root.descendants.find(f => f.name === name);
const find = (subject, box = inbox()) =>
	[...box.messages].find(m => m.mime2DecodedSubject.split(/[: ]/)[0] === subject);
const rows = box => [...box.messages].map(m => ({
	subject: m.mime2DecodedSubject, read: m.isRead, flagged: m.isFlagged, size: m.messageSize,
	keywords: m.getStringProperty("keywords").split(" ").filter(Boolean),
	gone: Boolean(m.flags & Ci.nsMsgMessageFlags.IMAPDeleted),
}));

// Calls with a listener of any kind; ends when it hears that it is over.
function heard(call) {
	return new Promise((ok, no) => {
		const over = rc => rc ? no(new Error(`failed: 0x${rc.toString(16)}`)) : ok();
		call({
			QueryInterface: ChromeUtils.generateQI(["nsIUrlListener", "nsIMsgCopyServiceListener",
				"nsIMsgSendListener"]),
			OnStartRunningUrl() {}, OnStopRunningUrl: (url, rc) => over(rc),
			onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return null; },
			onStopCopy: over,
			onStartSending() {}, onStatus() {}, onGetDraftFolderURI() {}, onTransportSecurityError() {},
			onSendNotPerformed: (id, rc) => over(rc || 1),
			onStopSending(id, rc) { rc && over(rc); },	// the copy in Sent comes after it
		});
	});
}

const update = box => heard(l => box.QueryInterface(Ci.nsIMsgImapMailFolder)
	.updateFolderWithListener(win.msgWindow, l));

function bytes(stream, size) {
	const b = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);
	b.setInputStream(stream);
	return b.readBytes(size ?? stream.available());
}

function file(text) {
	const path = Services.dirsvc.get("ProfD", Ci.nsIFile);
	path.append("message.eml");
	path.createUnique(Ci.nsIFile.NORMAL_FILE_TYPE, 0o600);
	return IOUtils.writeUTF8(path.path, text).then(() => path);
}

const steps = {
	// What a user does once: confirms the certificate, types the password.
	async login({ certificate, password }) {
		const cert = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)
			.constructX509FromBase64(certificate);
		Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService)
			.rememberValidityOverride(server.hostname, server.port, {}, cert, false);
		server.password = password;
		await update(inbox());
		return {
			folders: root.descendants.map(f => f.name).sort(),
			special: ["SentMail", "Drafts", "Trash", "Junk", "Archive"].map(n => special(n)?.name),
		};
	},

	async list(name) {
		const box = await until(() => folder(name), `folder ${name}`);
		await update(box);
		return rows(box);
	},

	// What is seen without asking for anything.
	seen: name => rows(folder(name)),

	// Local: from the disk or not at all.
	async read({ subject, box, local = false }) {
		const uri = folder(box).getUriForMsg(find(subject, folder(box)));
		let text = "";
		await new Promise((ok, no) => MailServices.messageServiceFromURI(uri).streamMessage(uri, {
			QueryInterface: ChromeUtils.generateQI(["nsIStreamListener"]),
			onStartRequest() {},
			onDataAvailable(request, stream, at, n) { text += bytes(stream, n); },
			onStopRequest(request, rc) { rc ? no(new Error(`failed: ${rc}`)) : ok(); },
		}, null, null, false, "", local));
		return text;
	},

	// In the window, as a person sees it.
	async show(subject) {
		const pane = win.document.getElementById("tabmail").currentAbout3Pane;
		pane.displayFolder(inbox().URI);
		await until(() => pane.gFolder === inbox() && pane.gDBView.rowCount, "the list");
		const key = pane.gDBView.findIndexOfMsgHdr(find(subject), true);
		pane.threadTree.selectedIndex = key;
		const browser = await until(() =>
			pane.messageBrowser.contentWindow.getMessagePaneBrowser(), "a message pane");
		await until(() => pane.messageBrowser.contentWindow.gMessage === find(subject) &&
			browser.contentDocument.readyState === "complete" &&
			browser.contentDocument.body.textContent.trim(), "the text");
		return browser.contentDocument.body.textContent.trim();
	},

	mark({ subject, read, flagged, keyword }) {
		const box = inbox(), m = [find(subject)];
		if (read !== undefined)
			box.markMessagesRead(m, read);
		if (flagged !== undefined)
			box.markMessagesFlagged(m, flagged);
		if (keyword)
			box.addKeywordsToMessages(m, keyword);
		return true;
	},

	async copy({ subject, to, move }) {
		const box = await until(() => folder(to), to);
		await heard(l => MailServices.copy.copyMessages(inbox(), [find(subject)], box,
			move, l, win.msgWindow, false));
		return true;
	},

	// Model: 0 marks, 1 moves to Trash.
	async remove({ subject, model }) {
		server.QueryInterface(Ci.nsIImapIncomingServer).deleteModel = model;
		const box = inbox(), m = find(subject);
		box.deleteMessages([m], win.msgWindow, false, false, null, false);
		await until(() => model ? !find(subject) : m.flags & Ci.nsMsgMessageFlags.IMAPDeleted,
			"what is deleted");
		return true;
	},

	async compact(name) {
		await heard(l => folder(name).compact(l, win.msgWindow));
		return true;
	},

	async empty_trash() {
		special("Trash").emptyTrash(null);
		await until(() => !special("Trash").getTotalMessages(true) && ![...special("Trash").messages].length,
			"an empty Trash");
		return true;
	},

	async create({ name, parent }) {
		(parent ? folder(parent) : root).createSubfolder(name, win.msgWindow);
		await until(() => folder(name), name);
		return true;
	},

	async rename({ name, to }) {
		folder(name).rename(to, win.msgWindow);
		await until(() => folder(to) && !folder(name), to);
		return true;
	},

	// Into Trash, as always.
	async remove_folder({ name, to }) {
		server.QueryInterface(Ci.nsIImapIncomingServer).deleteModel = 1;
		folder(name).deleteSelf(win.msgWindow);
		await until(() => folder(name).parent === folder(to), `${name} in ${to}`);
		return true;
	},

	async save({ to, text, draft }) {
		const path = await file(text);
		await heard(l => MailServices.copy.copyFileMessage(path, special(to), null, draft,
			draft ? 0 : Ci.nsMsgMessageFlags.Read, "", l, win.msgWindow));
		return true;
	},

	// Through its own sending, with a copy in Sent.
	async send({ to, text }) {
		const fields = Cc["@mozilla.org/messengercompose/composefields;1"]
			.createInstance(Ci.nsIMsgCompFields);
		const identity = MailServices.accounts.accounts[0].defaultIdentity;
		fields.from = identity.email;
		fields.to = to;
		fields.fcc = special("SentMail").URI;
		const path = await file(text);
		await heard(l => Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend)
			.sendMessageFile(identity, "account1", fields, path, false, false,
				Ci.nsIMsgSend.nsMsgDeliverNow, null, l, ""));
		return true;
	},

	// Asks the server, of which the local index knows nothing.
	async search({ box, attribute, value }) {
		const session = Cc["@mozilla.org/messenger/searchSession;1"]
			.createInstance(Ci.nsIMsgSearchSession);
		session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, folder(box));
		const term = session.createTerm(), sought = term.value;
		term.attrib = sought.attrib = Ci.nsMsgSearchAttrib[attribute];
		sought.str = value;
		term.value = sought;
		term.op = Ci.nsMsgSearchOp.Contains;
		session.appendTerm(term);
		const found = [];
		await new Promise((ok, no) => {
			session.registerListener({
				QueryInterface: ChromeUtils.generateQI(["nsIMsgSearchNotify"]),
				onSearchHit(m) { found.push(m.mime2DecodedSubject); },
				onSearchDone(rc) { rc ? no(new Error(`failed: ${rc}`)) : ok(); },
				onNewSearch() {},
			}, Ci.nsIMsgSearchSession.allNotifications);
			session.search(win.msgWindow);
		});
		return found.sort();
	},

	// All of a folder, so that it can be read from the disk.
	async download(name) {
		const box = folder(name);
		box.setFlag(Ci.nsMsgFolderFlags.Offline);
		await heard(l => box.downloadAllForOffline(l, win.msgWindow));
		await until(() => [...box.messages].every(m => box.hasMsgOffline(m.messageKey)), "all of them");
		return true;
	},
};

(async () => steps[step](given))().then(done, e => done(`error: ${e} ${e.stack || ""}`));
