import { LIMITS, OPERATION, type Operation } from "../../src/wire/index.ts";

export type Choose = (below: number) => number;

/** One message as a client would not send it, or just so. */
export interface Frame {
	type: number;
	requestId: number;
	transactionId: number;
	payload: Buffer;
}

/** Requests in the notation of docs/misc/xenstore.txt. Nothing in them touches what is outside /f and the clients' own. */
const SEEDS: readonly (readonly [Operation, string])[] = [
	["READ", "/f/a|"],
	["READ", "a/b|"],
	["WRITE", "/f/a/b|value"],
	["WRITE", "a|\0\xff"],
	["MKDIR", "/f/c|"],
	["RM", "/f/a|"],
	["RM", "a|"],
	["DIRECTORY", "/f|"],
	["DIRECTORY_PART", "/f|0|"],
	["GET_PERMS", "/f|"],
	["SET_PERMS", "/f/a|b1|r2|n0|"],
	["WATCH", "/f|token|"],
	["WATCH", "@releaseDomain|token|"],
	["UNWATCH", "/f|token|"],
	["RESET_WATCHES", "|"],
	["TRANSACTION_START", "|"],
	["TRANSACTION_END", "T|"],
	["TRANSACTION_END", "F|"],
	["INTRODUCE", "3|4096|7|"],
	["RELEASE", "3|"],
	["RESUME", "3|"],
	["SET_TARGET", "3|1|"],
	["IS_DOMAIN_INTRODUCED", "3|"],
	["GET_DOMAIN_PATH", "3|"],
	["CONTROL", "quota|1|"],
	["CONTROL", "help|"],
];

/** A valid request, one with some bytes changed, or noise in a correct frame. */
export function makeFrame(choose: Choose, requestId: number): Frame {
	const [operation, text] = SEEDS[choose(SEEDS.length)] ?? ["READ", ""];
	const valid = Buffer.from(text.replaceAll("|", "\0"), "latin1");
	const kind = choose(8);
	if (kind === 0) return { type: choose(40), requestId, transactionId: transaction(choose), payload: noise(choose) };
	const payload = kind < 4 ? valid : mutated(valid, choose);
	const type = kind === 7 ? anyType(choose) : OPERATION[operation];
	return { type, requestId, transactionId: transaction(choose), payload };
}

/** Half of the requests are outside transactions; small ids may well be open. */
function transaction(choose: Choose): number {
	return choose(2) === 0 ? 0 : choose(8) === 0 ? choose(0xffff_ffff) : choose(4);
}

function anyType(choose: Choose): number {
	return choose(4) === 0 ? choose(0xffff_ffff) : choose(32);
}

function noise(choose: Choose): Buffer {
	const length = choose(50) === 0 ? LIMITS.payload - choose(3) : choose(60);
	return Buffer.from(Array.from({ length }, () => choose(256)));
}

/** Bytes changed, left out, repeated, put in front of a long tail. */
function mutated(valid: Buffer, choose: Choose): Buffer {
	const at = choose(valid.length + 1);
	const [head, tail] = [valid.subarray(0, at), valid.subarray(at)];
	switch (choose(6)) {
		case 0:
			return Buffer.concat([head, Buffer.of(choose(256)), tail.subarray(1)]);
		case 1:
			return Buffer.concat([head, tail.subarray(1 + choose(4))]);
		case 2:
			return Buffer.concat([head, valid, tail]);
		case 3:
			return Buffer.concat([
				head,
				Buffer.of(0, 47, 64, 45)[choose(4)] === 0 ? Buffer.alloc(choose(20)) : Buffer.from("/"),
				tail,
			]);
		case 4:
			return Buffer.concat([head, Buffer.alloc(choose(3000), 97), tail]).subarray(0, LIMITS.payload);
		default:
			return Buffer.concat(Array.from({ length: 1 + choose(30) }, () => valid)).subarray(0, LIMITS.payload);
	}
}

/** A header that promises more than the protocol allows. */
export function oversizedHeader(choose: Choose): Buffer {
	const header = Buffer.alloc(LIMITS.header);
	header.writeUInt32LE(choose(32), 0);
	const length = [LIMITS.payload + 1, LIMITS.payload + 1 + choose(1 << 20), 0x7fff_ffff, 0xffff_ffff][choose(4)] ?? 0;
	header.writeUInt32LE(length, 12);
	return header;
}
