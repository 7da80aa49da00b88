import { InvalidInputError } from "@bulkhead/base";
import { parseCount, parseKeyed } from "./parameters.ts";

const WHAT = "The virtual NUMA node";
const VCPUS = /^[0-9]{1,3}(?:-[0-9]{1,3})?(?:,[0-9]{1,3}(?:-[0-9]{1,3})?)*$/;
const DISTANCES = /^[0-9]{1,3}(?:,[0-9]{1,3})*$/;

/**
 * Checks one virtual node: "pnode=0", "size=1000", "vcpus=0-1", "vdistances=10,20", each a string of its own.
 * @throws InvalidInputError
 */
export function checkVnumaNode(items: readonly string[]): string[] {
	const seen = new Set<string>();
	for (const item of items) {
		const equals = item.indexOf("=");
		const name = item.slice(0, Math.max(equals, 0)).trim();
		const value = item.slice(equals + 1).trim();
		if (seen.has(name)) throw new InvalidInputError(`${WHAT}: ${name} is given twice`);
		seen.add(name);
		if (name === "vcpus" && VCPUS.test(value)) continue;
		if (name === "vdistances" && DISTANCES.test(value)) continue;
		if (name === "vcpus" || name === "vdistances")
			throw new InvalidInputError(`${WHAT}: ${name} takes numbers with commas`);
		const given = parseKeyed(WHAT, item, ["pnode", "size", "vcpus", "vdistances"]);
		parseCount(WHAT, "pnode", given.pnode, { min: 0, max: 255 });
		parseCount(WHAT, "size", given.size, { min: 1, max: 16_777_216 });
	}
	return [...items];
}
