/**
 * Numbers as the C library reads them, since that is what xenstored does with the digits of a request: errors go
 * undetected, and a test that relies on that must see the same here.
 */

const DECIMAL = /^[\t-\r ]*([+-]?)(\d+)/;
const ANY_BASE = /^[\t-\r ]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/;
const LONG_MAX = (1n << 63n) - 1n;
/** So many decimal digits always fit an int. */
const SAFE_DIGITS = 9;

/** atoi(3) with glibc on a 64-bit machine: an int; 0 without digits, the rest ignored. */
export function atoi(text: string): number {
	const [, sign, digits] = DECIMAL.exec(text) ?? [];
	if (digits === undefined) return 0;
	if (digits.length <= SAFE_DIGITS) return sign === "-" ? 0 - Number(digits) : Number(digits);
	return Number(BigInt.asIntN(32, toLong(sign, digits)));
}

/** The same bits as an unsigned int. */
export function atoiUnsigned(text: string): number {
	return atoi(text) >>> 0;
}

/** strtol(3) with base 0, kept in an unsigned int; undefined unless the whole text is a number. */
export function strtolUnsigned(text: string): number | undefined {
	const [, sign, digits] = ANY_BASE.exec(text) ?? [];
	if (digits === undefined) return undefined;
	const isOctal = /^0[0-7]/.test(digits);
	return Number(BigInt.asUintN(32, toLong(sign, isOctal ? `0o${digits}` : digits)));
}

function toLong(sign: string | undefined, digits: string): bigint {
	const value = BigInt(digits);
	if (sign === "-") return value > LONG_MAX ? -LONG_MAX - 1n : -value;
	return value > LONG_MAX ? LONG_MAX : value;
}
