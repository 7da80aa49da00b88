import { ProtocolError } from "@bulkhead/base";
import { LIMITS } from "../limits.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * JSON from an untrusted peer: bounded depth, and no `__proto__` keys, which would become a prototype when the result
 * is copied by assignment. Of equal keys the last counts.
 * @throws ProtocolError
 */
export function parseJson(text: string, maxDepth: number = LIMITS.depth): unknown {
	if (isDeeperThan(text, maxDepth))
		throw new ProtocolError(`QMP message nests deeper than ${maxDepth} levels`, { fields: { maxDepth } });
	try {
		// The slower way only where such a key can be: written out, or by escapes.
		return mayHoldProto(text) ? JSON.parse(text, refuseProto) : JSON.parse(text);
	} catch (cause) {
		if (cause instanceof ProtocolError) throw cause;
		throw new ProtocolError("QMP message is not JSON", { cause });
	}
}

function mayHoldProto(text: string): boolean {
	return text.includes("__proto__") || text.includes("\\u");
}

function refuseProto(key: string, value: unknown): unknown {
	if (key === "__proto__") throw new ProtocolError("QMP message has a key named __proto__");
	return value;
}

/** Counts brackets outside strings. On text that is not JSON the answer means nothing, and the parser refuses it. */
function isDeeperThan(text: string, maxDepth: number): boolean {
	let depth = 0;
	for (let at = 0; at < text.length; at++) {
		switch (text.charCodeAt(at)) {
			case QUOTE:
				at = endOfString(text, at);
				break;
			case 0x5b: // [
			case 0x7b: // {
				if (++depth > maxDepth) return true;
				break;
			case 0x5d: // ]
			case 0x7d: // }
				depth--;
				break;
		}
	}
	return false;
}

/** Position of the closing quote, or the text's length. */
function endOfString(text: string, open: number): number {
	for (let at = open + 1; at < text.length; at++) {
		const char = text.charCodeAt(at);
		if (char === BACKSLASH) at++;
		else if (char === QUOTE) return at;
	}
	return text.length;
}
