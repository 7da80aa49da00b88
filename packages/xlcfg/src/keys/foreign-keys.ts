interface Explanation {
	why: string;
	remedy: string;
}

const forArm: Explanation = { why: "is for Arm guests, and this is an x86 host", remedy: "Remove the line" };
const moved = (remedy: string): Explanation => ({ why: "is no key any more", remedy });

/** Keys of other machines and of other times, told apart from misspelt ones (xl-cfg.md §3, §7, §10, §12). */
const FOREIGN_KEYS: ReadonlyMap<string, Explanation> = new Map([
	...["device_tree", "dtdev", "vuart", "gic_version", "tee", "arm_sci", "sve", "nr_spis", "llc_colors"].map(
		(key) => [key, forArm] as const,
	),
	["trap_unmapped_accesses", forArm],
	["pvh", moved('Write type = "pvh"')],
	["vncviewer", moved("Remove the line: a viewer is started by whoever looks")],
	["vcpu_avail", moved("Write vcpus for the cpus at start, and maxvcpus")],
	["dhcp", moved("Put it on the kernel's command line: extra")],
]);

/** Why a key that Bulkhead does not read has no place in a guest's config, if it is one that people have. */
export function explainForeignKey(key: string): Explanation | undefined {
	return FOREIGN_KEYS.get(key);
}
