/** The argument checks of the native addons (native/arguments.cc): a wrong one is a TypeError before anything happens. */

const LARGEST_DOMID = 0x7fff;

/** @throws TypeError */
export function checkInteger(name: string, value: number, min: number, max: number): void {
	if (!Number.isSafeInteger(value) || value < min || value > max)
		throw new TypeError(`${name} must be a whole number from ${min} to ${max}`);
}

/** @throws TypeError */
export function checkDomid(domid: number, name = "domid"): void {
	checkInteger(name, domid, 0, LARGEST_DOMID);
}

/** @throws TypeError */
export function checkPort(port: number): void {
	checkInteger("port", port, 1, 0x7fff_ffff);
}

/** @throws TypeError */
export function checkList(name: string, values: readonly number[], max: number, maxCount: number): void {
	if (!Array.isArray(values) || values.length < 1 || values.length > maxCount)
		throw new TypeError(`${name} must have 1 to ${maxCount} elements`);
	for (const value of values) checkInteger(name, value, 0, max);
}
