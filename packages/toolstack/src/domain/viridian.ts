import { InvalidInputError } from "@bulkhead/base";

/** Bits of HVM_PARAM_VIRIDIAN by libxl's names (hvm/params.h: HVMPV_*; `freq` is its negation, no_freq). */
const BITS = {
	base: 0,
	freq: 1,
	time_ref_count: 2,
	reference_tsc: 3,
	hcall_remote_tlb_flush: 4,
	apic_assist: 5,
	crash_ctl: 6,
	synic: 7,
	stimer: 8,
	hcall_ipi: 9,
	ex_processor_masks: 10,
	no_vp_limit: 11,
	cpu_hotplug: 12,
} as const;
type Name = keyof typeof BITS;

/** libxl's own choice for viridian = 1. */
const DEFAULTS: readonly Name[] = ["base", "freq", "time_ref_count", "apic_assist", "crash_ctl"];
const NAMES = Object.keys(BITS) as Name[];

/** The mask that a config's names make, in their order; undefined: none of Hyper-V's interfaces. @throws InvalidInputError */
export function viridianMask(names: readonly string[]): number | undefined {
	const chosen = new Set<Name>();
	for (const entry of names) {
		const isTaken = entry.startsWith("!");
		const name = isTaken ? entry.slice(1) : entry;
		for (const each of membersOf(name)) {
			if (isTaken) chosen.delete(each);
			else chosen.add(each);
		}
	}
	if (chosen.size === 0) return undefined;
	if (!chosen.has("base"))
		throw new InvalidInputError("Hyper-V's interfaces need “base”", { remedy: 'Add "base" to viridian, first' });
	let mask = chosen.has("freq") ? 0 : 1 << BITS.freq;
	for (const name of chosen) if (name !== "freq") mask |= 1 << BITS[name];
	return mask;
}

function membersOf(name: string): readonly Name[] {
	if (name === "all") return NAMES;
	if (name === "defaults") return DEFAULTS;
	const found = NAMES.find((each) => each === name);
	if (found) return [found];
	throw new InvalidInputError(`viridian has no interface ${JSON.stringify(name)}`, {
		remedy: `Use ${NAMES.join(", ")}, all or defaults`,
		fields: { name },
	});
}
