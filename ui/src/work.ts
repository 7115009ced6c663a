// SPDX-License-Identifier: ISC
// The work: the least counter such that SHA-256(stamp ":" counter) begins with so many zero bits.

import { sha256 } from "./sha256";

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

export function work(task: Task, report: (p: Progress) => void): void {
	const encoder = new TextEncoder();
	const state = new Uint32Array(8);

	for (let counter = 0; ; counter++) {
		sha256(encoder.encode(`${task.stamp}:${counter}`), state);
		if (zeroBits(state) >= task.bits) {
			report({ part: 1, proof: String(counter) });
			return;
		}
		if (counter % PIECE === PIECE - 1)
			report({ part: 1 - Math.exp(-counter / 2 ** task.bits), proof: "" });
	}
}
