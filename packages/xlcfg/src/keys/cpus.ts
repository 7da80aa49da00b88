import { defined } from "../defined.ts";
import type { CpuSet, GuestConfig, GuestType, SchedulingConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { checkCpuSet } from "../specs/cpu-set.ts";
import { checkCpuid, isLeafSpec } from "../specs/cpuid-spec.ts";
import type { ConfigReader } from "./config-reader.ts";
import { checkName, readEach } from "./read-path.ts";

type Cpus = Pick<
	GuestConfig,
	| "vcpus"
	| "maxVcpus"
	| "cpus"
	| "cpusSoft"
	| "scheduling"
	| "pool"
	| "cpuid"
	| "nestedHvm"
	| "altp2m"
	| "altp2mCount"
	| "msrRelaxed"
	| "vpmu"
>;

/** How many cpus, which, and what they can do (xl-cfg.md §4). */
export function readCpus(reader: ConfigReader, type: GuestType): Cpus {
	const range = { min: 1, max: type === "pv" ? XLCFG_LIMITS.mostPvVcpus : XLCFG_LIMITS.mostHvmVcpus };
	const vcpus = reader.integer("vcpus", range) ?? 1;
	const most = reader.integer("maxvcpus", range) ?? vcpus;
	if (most < vcpus)
		reader.refuse("maxvcpus", "Key maxvcpus is less than vcpus", { remedy: "Raise maxvcpus, or remove it" });
	const maxVcpus = Math.max(vcpus, most);
	const pool = reader.string("pool");
	return defined<Cpus>({
		vcpus,
		maxVcpus,
		cpus: readCpuSets(reader, "cpus", maxVcpus),
		cpusSoft: readCpuSets(reader, "cpus_soft", maxVcpus),
		scheduling: readScheduling(reader),
		pool: pool === undefined ? undefined : reader.attempt("pool", () => checkName("pool", pool)),
		cpuid: readCpuid(reader),
		nestedHvm: reader.boolean("nestedhvm") ?? false,
		altp2m: readAltp2m(reader),
		altp2mCount: reader.integer("altp2m_count", { min: 1, max: 65_535 }),
		msrRelaxed: reader.boolean("msr_relaxed") ?? false,
		vpmu: reader.boolean("vpmu") ?? false,
	});
}

/** A string is the set of every vcpu; a list has the set of each vcpu in turn. */
function readCpuSets(reader: ConfigReader, key: string, maxVcpus: number): CpuSet[] | undefined {
	if (!reader.has(key)) return undefined;
	const sets = readEach(reader, key, checkCpuSet, { single: true, numbers: true, most: XLCFG_LIMITS.mostPvVcpus });
	if (sets.length > maxVcpus)
		reader.refuse(key, `Key ${key} has ${sets.length} entries for ${maxVcpus} vcpus`, {
			remedy: "Give each vcpu one entry, or all of them one string",
		});
	const [first] = sets;
	return reader.kind(key) === "list" || first === undefined ? sets : Array.from({ length: maxVcpus }, () => first);
}

function readScheduling(reader: ConfigReader): SchedulingConfig | undefined {
	const scheduling = defined<SchedulingConfig>({
		weight: reader.integer("cpu_weight", { min: 1, max: 65_535 }),
		cap: reader.integer("cap", { min: 0, max: 100 * XLCFG_LIMITS.mostPvVcpus }),
		periodUs: reader.integer("period", { min: 10, max: 0xffff_ffff }),
		budgetUs: reader.integer("budget", { min: 10, max: 0xffff_ffff }),
		extratime: reader.boolean("extratime"),
	});
	const { periodUs, budgetUs } = scheduling;
	if (budgetUs !== undefined && periodUs !== undefined && budgetUs > periodUs)
		reader.refuse("budget", "Key budget is more than period", { remedy: "Lower it: of each period, budget is used" });
	for (const key of ["slice", "latency"])
		if (reader.integer(key, { min: 0, max: 0xffff_ffff }) !== undefined)
			reader.warn(key, `Key ${key} has no effect: it belonged to a scheduler that Xen removed`);
	return Object.keys(scheduling).length === 0 ? undefined : scheduling;
}

function readCpuid(reader: ConfigReader): string[] {
	const isList = reader.kind("cpuid") === "list";
	return readEach(
		reader,
		"cpuid",
		(text, _, place) => {
			if (isLeafSpec(text) !== isList)
				reader.refuse(
					"cpuid",
					isList ? "A list of cpuid settings takes leaves" : "A cpuid leaf stands in a list",
					{ remedy: 'Write cpuid = "host,FLAG=0", or cpuid = [ "0x1:ecx=…" ]' },
					place,
				);
			return checkCpuid(text);
		},
		{ single: true },
	);
}

function readAltp2m(reader: ConfigReader): GuestConfig["altp2m"] {
	const mode = reader.wordOrNumber("altp2m", ["disabled", "mixed", "external", "limited"]);
	const old = reader.boolean("altp2mhvm");
	if (old !== undefined) reader.warn("altp2mhvm", 'Key altp2mhvm is deprecated: write altp2m = "mixed"');
	const chosen = mode ?? (old === true ? "mixed" : "disabled");
	return chosen === "disabled" ? undefined : chosen;
}
