import { InvalidInputError, printable } from "@bulkhead/base";
import { ABSENT } from "../absent.ts";
import { defined } from "../defined.ts";
import type { GuestConfig, GuestType } from "../guest-config.ts";
import { findNearestWord } from "../problems/nearest-word.ts";
import { parseKeyed, parseWord } from "../specs/parameters.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readEach } from "./read-path.ts";

type Platform = Pick<
	GuestConfig,
	| ("acpi" | "acpiS3" | "acpiS4" | "acpiLaptopSlate" | "apic" | "pae" | "nx" | "hpet" | "vptAlign" | "hap" | "oos")
	| ("hvmPirq" | "nomigrate" | "passthrough" | "rdm" | "tscMode" | "timerMode" | "localtime" | "rtcTimeOffsetSeconds")
	| ("viridian" | "vmGenerationId" | "xenPlatformPci" | "xenPlatformPciBarUncached" | "vendorDevice")
	| "machineCheckCapabilities"
>;

/** Hyper-V interfaces that Xen can show (xl.cfg(5), viridian). */
export const VIRIDIAN: readonly string[] = [
	...["all", "defaults", "base", "freq", "time_ref_count", "reference_tsc", "hcall_remote_tlb_flush", "apic_assist"],
	...["crash_ctl", "synic", "stimer", "hcall_ipi", "ex_processor_masks", "no_vp_limit", "cpu_hotplug"],
];

const TSC_MODES = ["default", "always_emulate", "native"] as const;
const TIMER_MODES = [
	"delay_for_missed_ticks",
	"no_delay_for_missed_ticks",
	"no_missed_ticks_pending",
	"one_missed_tick_pending",
] as const;

/** The machine that the guest sees (xl-cfg.md §4, §7). */
export function readPlatform(reader: ConfigReader): Platform {
	const flag = (key: string, otherwise: boolean): boolean => reader.boolean(key) ?? otherwise;
	const vendorDevice = reader.word("vendor_device", ["none", "xenserver"]);
	const generation = reader.word("ms_vm_genid", ["generate", "none"]);
	return defined<Platform>({
		acpi: flag("acpi", true),
		acpiS3: flag("acpi_s3", ABSENT.acpiS3),
		acpiS4: flag("acpi_s4", ABSENT.acpiS4),
		acpiLaptopSlate: flag("acpi_laptop_slate", ABSENT.acpiLaptopSlate),
		apic: flag("apic", ABSENT.apic),
		pae: flag("pae", ABSENT.pae),
		nx: flag("nx", ABSENT.nx),
		hpet: flag("hpet", ABSENT.hpet),
		vptAlign: flag("vpt_align", ABSENT.vptAlign),
		hap: reader.boolean("hap"),
		oos: reader.boolean("oos"),
		hvmPirq: reader.boolean("hvm_pirq"),
		machineCheckCapabilities: reader.has("mca_caps") ? readEach(reader, "mca_caps", checkMachineCheck) : undefined,
		nomigrate: flag("nomigrate", ABSENT.nomigrate),
		passthrough: reader.word("passthrough", ["disabled", "enabled", "sync_pt", "share_pt"]),
		rdm: readRdm(reader),
		tscMode: readTscMode(reader),
		timerMode: reader.wordOrNumber("timer_mode", TIMER_MODES),
		localtime: flag("localtime", ABSENT.localtime),
		rtcTimeOffsetSeconds: reader.integer("rtc_timeoffset", { min: -(2 ** 31), max: 2 ** 31 - 1 }) ?? 0,
		viridian: readViridian(reader),
		vmGenerationId: generation === "generate" ? generation : undefined,
		xenPlatformPci: flag("xen_platform_pci", ABSENT.xenPlatformPci),
		xenPlatformPciBarUncached: reader.boolean("xen_platform_pci_bar_uc"),
		vendorDevice: vendorDevice === "xenserver" ? vendorDevice : undefined,
	});
}

function readTscMode(reader: ConfigReader): GuestConfig["tscMode"] {
	if (reader.kind("tsc_mode") === "string" && reader.string("tsc_mode") === "native_paravirt") {
		reader.refuse("tsc_mode", "Xen has no tsc_mode native_paravirt any more", { remedy: 'Write tsc_mode = "native"' });
		return undefined;
	}
	const mode = reader.wordOrNumber("tsc_mode", TSC_MODES);
	return mode === "default" ? undefined : mode;
}

function checkMachineCheck(text: string): "lmce" {
	if (text === "lmce") return text;
	throw new InvalidInputError(`"${printable(text, 32)}" is no capability of machine checks`, { remedy: 'Use "lmce"' });
}

/** 1 is the set that Xen calls the defaults. */
function readViridian(reader: ConfigReader): string[] {
	if (reader.kind("viridian") !== "list") return reader.boolean("viridian") === true ? ["defaults"] : [];
	return readEach(reader, "viridian", checkViridian);
}

/** @throws InvalidInputError */
export function checkViridian(text: string): string {
	const name = text.startsWith("!") ? text.slice(1) : text;
	if (VIRIDIAN.includes(name)) return text;
	const nearest = findNearestWord(name, VIRIDIAN);
	throw new InvalidInputError(`"${printable(text, 32)}" is no Hyper-V interface of Xen`, {
		remedy: nearest === undefined ? `Use ${VIRIDIAN.join(", ")}` : `Did you mean ${nearest}?`,
	});
}

/** What becomes of memory that devices of the host reserve. */
function readRdm(reader: ConfigReader): GuestConfig["rdm"] {
	const text = reader.string("rdm");
	if (text === undefined) return undefined;
	return reader.attempt("rdm", () => {
		const given = parseKeyed("Key rdm", text, ["strategy", "policy"]);
		return {
			strategy: parseWord("Key rdm", "strategy", given.strategy, ["ignore", "host"]) ?? "ignore",
			policy: parseWord("Key rdm", "policy", given.policy, ["strict", "relaxed"]) ?? "relaxed",
		};
	});
}

/** PV guests: the host's memory map. A PCI device needs it, and xl turns it on whatever the key says. */
export function readE820Host(reader: ConfigReader, type: GuestType, hasPci: boolean): boolean {
	const asked = reader.boolean("e820_host");
	const needed = type === "pv" && hasPci;
	if (needed && asked === false)
		reader.warn("e820_host", "Key e820_host is on all the same: a PCI device of a PV guest needs it");
	return needed || (asked ?? ABSENT.e820Host);
}
