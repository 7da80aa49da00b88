import { ABSENT } from "../absent.ts";
import type { CpuSet, GuestConfig } from "../guest-config.ts";
import { isLeafSpec } from "../specs/cpuid-spec.ts";
import { printValue } from "../text/source-text.ts";
import { flag, list, lists, mebibytes, number, text } from "./lines.ts";

export function cpuLines(config: GuestConfig): string[] {
	const { scheduling, maxVcpus, vcpus } = config;
	return [
		...number("vcpus", vcpus),
		...(maxVcpus === vcpus ? [] : number("maxvcpus", maxVcpus)),
		...cpuSetLines("cpus", config.cpus, maxVcpus),
		...cpuSetLines("cpus_soft", config.cpusSoft, maxVcpus),
		...number("cpu_weight", scheduling?.weight),
		...number("cap", scheduling?.cap),
		...number("period", scheduling?.periodUs),
		...number("budget", scheduling?.budgetUs),
		...flag("extratime", scheduling?.extratime),
		...text("pool", config.pool),
		...cpuidLines(config.cpuid),
		...flag("nestedhvm", config.nestedHvm, ABSENT.nestedHvm),
		...text("altp2m", config.altp2m),
		...number("altp2m_count", config.altp2mCount),
		...flag("msr_relaxed", config.msrRelaxed, ABSENT.msrRelaxed),
		...flag("vpmu", config.vpmu, ABSENT.vpmu),
	];
}

function cpuSetLines(key: string, sets: readonly CpuSet[] | undefined, maxVcpus: number): string[] {
	if (!sets) return [];
	const [first] = sets;
	if (first === undefined) return [`${key} = [ ]`];
	const alike = sets.length === maxVcpus && sets.every((set) => set === first);
	return alike ? text(key, first) : list(key, sets);
}

function cpuidLines(settings: readonly string[]): string[] {
	const [first] = settings;
	return first === undefined || isLeafSpec(first) ? list("cpuid", settings) : text("cpuid", first);
}

export function platformLines(config: GuestConfig): string[] {
	const { rdm } = config;
	return [
		...flag("acpi", config.acpi, true),
		...flag("acpi_s3", config.acpiS3, ABSENT.acpiS3),
		...flag("acpi_s4", config.acpiS4, ABSENT.acpiS4),
		...flag("acpi_laptop_slate", config.acpiLaptopSlate, ABSENT.acpiLaptopSlate),
		...flag("apic", config.apic, ABSENT.apic),
		...flag("pae", config.pae, ABSENT.pae),
		...flag("nx", config.nx, ABSENT.nx),
		...flag("hpet", config.hpet, ABSENT.hpet),
		...flag("vpt_align", config.vptAlign, ABSENT.vptAlign),
		...flag("hap", config.hap),
		...flag("oos", config.oos),
		...flag("hvm_pirq", config.hvmPirq),
		...(config.machineCheckCapabilities ? [`mca_caps = ${printValue(config.machineCheckCapabilities)}`] : []),
		...flag("nomigrate", config.nomigrate, ABSENT.nomigrate),
		...flag("e820_host", config.e820Host, ABSENT.e820Host),
		...text("passthrough", config.passthrough),
		...text("rdm", rdm && `strategy=${rdm.strategy},policy=${rdm.policy}`),
		...number("rdm_mem_boundary", config.rdmMemoryBoundaryMiB),
		...text("tsc_mode", config.tscMode),
		...text("timer_mode", config.timerMode),
		...flag("localtime", config.localtime, ABSENT.localtime),
		...(config.rtcTimeOffsetSeconds === 0 ? [] : number("rtc_timeoffset", config.rtcTimeOffsetSeconds)),
		...mebibytes("shadow_memory", config.shadowMemoryKiB),
		...number("mmio_hole", config.mmioHoleMiB),
		...list("viridian", config.viridian),
		...text("ms_vm_genid", config.vmGenerationId),
		...lists("vnuma", config.vnuma),
		...flag("xen_platform_pci", config.xenPlatformPci, ABSENT.xenPlatformPci),
		...flag("xen_platform_pci_bar_uc", config.xenPlatformPciBarUncached),
		...text("vendor_device", config.vendorDevice),
	];
}
