// SPDX-License-Identifier: ISC
// SHA-256 (FIPS 180-4), synchronous: crypto.subtle answers with promises, and a hundred thousand of them
// take longer than the digests.

const K = new Uint32Array(64);
const H = new Uint32Array(8);

// The constants are parts of roots of primes (4.2.2, 5.3.3).
function constants(): void {
	let n = 0;
	for (let p = 2; n < 64; p++) {
		let prime = true;
		for (let d = 2; d * d <= p; d++)
			if (p % d === 0)
				prime = false;
		if (!prime)
			continue;
		if (n < 8)
			H[n] = (Math.sqrt(p) % 1) * 4294967296;
		K[n++] = (Math.cbrt(p) % 1) * 4294967296;
	}
}

constants();

const w = new Uint32Array(64);

function turn(x: number, n: number): number {
	return (x >>> n) | (x << (32 - n));
}

function block(s: Uint32Array, b: Uint8Array, at: number): void {
	for (let i = 0; i < 16; i++, at += 4)
		w[i] = (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
	for (let i = 16; i < 64; i++) {
		const x = w[i - 15]!, y = w[i - 2]!;
		w[i] = w[i - 16]! + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + w[i - 7]! +
			(turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
	}
	let a0 = s[0]!, b0 = s[1]!, c0 = s[2]!, d0 = s[3]!, e0 = s[4]!, f0 = s[5]!, g0 = s[6]!, h0 = s[7]!;
	for (let i = 0; i < 64; i++) {
		const t1 = (h0 + (turn(e0, 6) ^ turn(e0, 11) ^ turn(e0, 25)) + ((e0 & f0) ^ (~e0 & g0)) +
			K[i]! + w[i]!) | 0;
		const t2 = ((turn(a0, 2) ^ turn(a0, 13) ^ turn(a0, 22)) + ((a0 & b0) ^ (a0 & c0) ^ (b0 & c0))) | 0;
		h0 = g0, g0 = f0, f0 = e0, e0 = (d0 + t1) | 0, d0 = c0, c0 = b0, b0 = a0, a0 = (t1 + t2) | 0;
	}
	s[0] += a0, s[1] += b0, s[2] += c0, s[3] += d0, s[4] += e0, s[5] += f0, s[6] += g0, s[7] += h0;
}

// The message with what belongs behind it (5.1.1): whole blocks.
export function padded(message: Uint8Array): Uint8Array {
	const room = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
	const bits = message.length * 8;

	room.set(message);
	room[message.length] = 0x80;
	for (let i = 0; i < 4; i++)
		room[room.length - 1 - i] = bits >>> (8 * i);
	return room;
}

// Of whole blocks, into `state`, eight words.
export function sha256(blocks: Uint8Array, state: Uint32Array): void {
	state.set(H);
	for (let at = 0; at < blocks.length; at += 64)
		block(state, blocks, at);
}
