// SPDX-License-Identifier: ISC
// The work: the least counter such that SHA-256(stamp ":" counter) begins with so many zero bits.

import { padded, sha256 } from "./sha256";

export interface Task {
	stamp: string;
	bits: number;
}

export interface Progress {
	part: number;	// of what is to be expected, below 1
	proof: string;	// "" while it is not found
}

const PIECE = 8192;	// digests between two reports

function zeroBits(state: Uint32Array): number {
	for (let i = 0; i < state.length; i++)
		if (state[i] !== 0)
			return i * 32 + Math.clz32(state[i]!);
	return 256;
}

// The next decimal number in place, from `begin` to `end`; false: it needs a further digit.
function count(text: Uint8Array, begin: number, end: number): boolean {
	for (let i = end - 1; i >= begin; i--) {
		if (text[i] !== 0x39) {
			text[i]++;
			return true;
		}
		text[i] = 0x30;
	}
	return false;
}

export function work(task: Task, report: (p: Progress) => void): void {
	const encoder = new TextEncoder();
	const begin = encoder.encode(`${task.stamp}:`).length;
	const state = new Uint32Array(8);

	for (let counter = 0; ;) {
		const text = encoder.encode(`${task.stamp}:${counter}`);
		const blocks = padded(text);
		do {
			sha256(blocks, state);
			if (zeroBits(state) >= task.bits) {
				report({ part: 1, proof: String(counter) });
				return;
			}
			if (++counter % PIECE === 0)
				report({ part: 1 - Math.exp(-counter / 2 ** task.bits), proof: "" });
		} while (count(blocks, begin, text.length));
	}
}
