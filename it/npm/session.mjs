// SPDX-License-Identifier: ISC
// A session of imapflow: PORT USER PASSWORD [ENABLE]; says in JSON what it saw.
import { webcrypto } from 'node:crypto';
import { ImapFlow } from 'imapflow';

globalThis.crypto ??= webcrypto;	// Debian 12's node is 18

const [port, user, pass, enable] = process.argv.slice(2);

function connection(more) {
	return new ImapFlow({
		host: '127.0.0.1', port: Number(port), secure: true, auth: { user, pass },
		tls: { rejectUnauthorized: false }, logger: false, ...more,
	});
}

async function main() {
	const said = {};
	const client = connection({ qresync: true });
	await client.connect();
	if (enable)
		await client.exec('ENABLE', [{ type: 'ATOM', value: enable }])
			.then(response => response.next());
	const list = await client.list();
	said.mailboxes = list.map(box => box.path).sort();
	said.special = list.map(box => box.specialUse).filter(Boolean).sort();
	const lock = await client.getMailboxLock('INBOX');
	said.exists = client.mailbox.exists;
	const rows = await client.fetchAll('1:*',
		{ uid: true, envelope: true, flags: true, size: true, bodyStructure: true });
	said.subjects = rows.map(row => row.envelope.subject);
	said.flags = rows.map(row => [...row.flags].filter(flag => flag !== '\\Recent').sort());
	said.sizes = rows.map(row => row.size);
	said.parts = rows[2].bodyStructure.childNodes.map(part => part.type);
	said.source = (await client.fetchOne('2', { source: true })).source.toString('latin1');
	said.download = 0;
	for await (const chunk of (await client.download('3', '2')).content)
		said.download += chunk.length;
	said.found = await client.search({ subject: 'Grüße' }, { uid: true });
	said.appended = (await client.append('INBOX', 'Subject: five\r\n\r\nby imapflow\r\n')).uid;
	await client.messageFlagsAdd('1', ['\\Flagged', 'keyword']);
	await client.mailboxCreate('moved');
	said.moved = [...(await client.messageMove('3', 'moved')).uidMap];
	const woken = new Promise(done => client.on('exists', news => done(news.count)));
	client.idle();
	const other = connection();
	await other.connect();
	await other.append('INBOX', 'Subject: six\r\n\r\nwakes\r\n', ['\\Seen']);
	await other.logout();
	said.woken = await woken;
	await client.messageDelete('4', { uid: true });
	const status = await client.status('INBOX', { messages: true, unseen: true, uidNext: true });
	said.status = { messages: status.messages + 1, unseen: status.unseen + 1, uidNext: status.uidNext };
	said.left = await client.search({ all: true }, { uid: true });
	lock.release();
	await client.logout();
	console.log(JSON.stringify(said));
}

await main();
