// SPDX-License-Identifier: ISC
// Run by node when tests are: the digests are SHA-256, and the proof is the least counter that proves.

import { padded, sha256 } from "./sha256";
import { work } from "./work";

const state = new Uint32Array(8);

function digest(text: string): string {
	sha256(padded(new TextEncoder().encode(text)), state);
	return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
}

function same(what: string, got: string, want: string): void {
	if (got !== want)
		throw new Error(`${what}: ${got}, not ${want}`);
}

// FIPS 180-4's own examples, and lengths around the borders of blocks (of coreutils' sha256sum)
same("nothing", digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
same("abc", digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
same("two blocks", digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
	"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
same("55", digest("a".repeat(55)), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
same("56", digest("a".repeat(56)), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
same("64", digest("a".repeat(64)), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");

let proof = "";
work({ stamp: "stamp", bits: 12 }, (p) => { proof = p.proof; });
for (let counter = 0; counter <= Number(proof); counter++)
	same(`counter ${counter}`, String(digest(`stamp:${counter}`).startsWith("000")), String(counter === Number(proof)));
work({ stamp: "stamp", bits: 0 }, (p) => { proof = p.proof; });
same("no work", proof, "0");
