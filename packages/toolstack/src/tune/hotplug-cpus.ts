import { ProtocolError } from "@bulkhead/base";
import * as z from "zod";

/** How QEMU's `query-hotpluggable-cpus` tells of one place for a processor. QEMU's word: bounded, and checked. */
const number = z.number().int().min(0).max(65_535).optional();
const place = z.object({
	type: z.string().regex(/^[A-Za-z0-9_.+-]{1,64}-cpu$/),
	props: z.strictObject({
		"node-id": number,
		"socket-id": number,
		"die-id": number,
		"core-id": number,
		"thread-id": number,
	}),
	"qom-path": z.string().max(256).optional(),
});
const places = z.array(place).max(512);

const ORDER = ["socket-id", "die-id", "core-id", "thread-id"] as const;

export interface CpuToAdd {
	driver: string;
	id: string;
	[property: string]: string | number;
}

/**
 * Which processors QEMU must be given (`device_add`) so that the guest has `wanted`, lowest places first; and how many
 * it has.
 * @throws ProtocolError when the answer is not what QEMU gives
 */
export function cpusToAdd(answer: unknown, wanted: number): { present: number; add: CpuToAdd[] } {
	const parsed = places.safeParse(answer);
	if (!parsed.success) throw new ProtocolError("QEMU's answer about processors cannot be understood");
	const ordered = parsed.data.toSorted((a, b) => {
		const difference = ORDER.map((key) => (a.props[key] ?? 0) - (b.props[key] ?? 0)).find((each) => each !== 0);
		return difference ?? 0;
	});
	const present = ordered.filter((each) => each["qom-path"] !== undefined).length;
	const add = ordered
		.map((each, index) => ({ each, index }))
		.filter(({ each }) => each["qom-path"] === undefined)
		.slice(0, Math.max(0, wanted - present))
		.map(({ each, index }) => ({ driver: each.type, id: `cpu-${index}`, ...each.props }));
	return { present, add };
}
