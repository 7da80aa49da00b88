import type { GuestConfig } from "@bulkhead/xlcfg";
import { at, type Fact, flagAt, hvm, isHvm, listAt, textAt, type XlConfig } from "./fact.ts";

const b = (xl: XlConfig, key: string): unknown => at(xl, "b_info", key);
const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** A field of b_info that has the same meaning in both. */
const same = (key: string, ours: Fact["ours"]): Fact => ({ xl: (xl) => b(xl, key), ours });
const flag = (key: string, ours: Fact["ours"], otherwise?: boolean): Fact => ({
	xl: (xl) => flagAt(otherwise, xl, "b_info", key),
	ours,
});

const ACTIONS: Readonly<Record<string, string>> = {
	restart_rename: "rename-restart",
	coredump_destroy: "coredump-destroy",
	coredump_restart: "coredump-restart",
	soft_reset: "soft-reset",
};
const action = (key: string, ours: (lifecycle: GuestConfig["lifecycle"]) => string): Fact => ({
	xl: (xl) => {
		const value = textAt(xl, key) || "destroy";
		return ACTIONS[value] ?? value;
	},
	ours: ({ lifecycle }) => ours(lifecycle),
});

/** A set of cpus as xl words it, expanded for a host. */
function expandCpus(set: string, hostCpus: number): number[] {
	const cpus = new Set<number>();
	for (const part of set.split(",")) {
		const [, not, from = "", to = from] = /^(\^?)(\d+|all)(?:-(\d+))?$/.exec(part) ?? [];
		const first = from === "all" ? 0 : Number(from);
		const last = from === "all" ? hostCpus - 1 : Number(to);
		for (let cpu = first; cpu <= last; cpu++) {
			if (not) cpus.delete(cpu);
			else cpus.add(cpu);
		}
	}
	return [...cpus].filter((cpu) => cpu < hostCpus).sort((x, y) => x - y);
}

const affinity = (key: string, ours: (config: GuestConfig) => string[] | undefined, hostCpus: number): Fact => ({
	xl: (xl) => listAt(xl, "b_info", key),
	ours: (config) => (ours(config) ?? []).map((set) => expandCpus(set, hostCpus)),
});

/** Facts of any guest but its devices. */
export function guestFacts(hostCpus: number): Record<string, Fact> {
	return {
		name: { xl: (xl) => at(xl, "c_info", "name"), ours: ({ name }) => name },
		type: { xl: (xl) => at(xl, "c_info", "type"), ours: ({ type }) => type },
		memoryKiB: same("target_memkb", ({ memoryKiB }) => memoryKiB),
		maxMemoryKiB: same("max_memkb", ({ maxMemoryKiB }) => maxMemoryKiB),
		vcpus: { xl: (xl) => listAt(xl, "b_info", "avail_vcpus").length || 1, ours: ({ vcpus }) => vcpus },
		maxVcpus: { xl: (xl) => b(xl, "max_vcpus") ?? 1, ours: ({ maxVcpus }) => maxVcpus },
		cpus: affinity("vcpu_hard_affinity", ({ cpus }) => cpus, hostCpus),
		cpusSoft: affinity("vcpu_soft_affinity", ({ cpusSoft }) => cpusSoft, hostCpus),
		scheduling: {
			xl: (xl) => {
				const { extratime, ...given } = (b(xl, "sched_params") ?? {}) as Record<string, unknown>;
				return { ...given, ...(extratime === undefined ? {} : { extratime: extratime === 1 }) };
			},
			ours: ({ scheduling = {} }) => ({
				weight: scheduling.weight,
				cap: scheduling.cap,
				period: scheduling.periodUs,
				budget: scheduling.budgetUs,
				extratime: scheduling.extratime,
			}),
		},
		pool: { xl: (xl) => at(xl, "c_info", "pool_name"), ours: ({ pool }) => pool },
		kernel: same("kernel", ({ kernel }) => kernel),
		ramdisk: same("ramdisk", ({ ramdisk }) => ramdisk),
		commandLine: { xl: (xl) => b(xl, "cmdline") ?? "", ours: ({ commandLine }) => commandLine },
		bootloader: same("bootloader", ({ bootloader }) => bootloader?.path),
		bootloaderArgs: {
			xl: (xl) => listAt(xl, "b_info", "bootloader_args"),
			ours: (config) => config.bootloader?.args ?? [],
		},
		shim: {
			xl: (xl) => {
				const shim = (key: string): unknown => at(xl, "b_info", "type.pvh", key);
				const [line, extra] = ["pvshim_cmdline", "pvshim_extra"].map((key) => textAt(xl, "b_info", "type.pvh", key));
				return shim("pvshim") === "True" ? { path: shim("pvshim_path"), commandLine: `${line} ${extra}` } : undefined;
			},
			ours: ({ pvShim }) => pvShim,
		},
		acpi: flag("acpi", ({ acpi }) => acpi, true),
		apic: flag("apic", ({ apic }) => apic, true),
		nestedHvm: flag("nested_hvm", ({ nestedHvm }) => nestedHvm, false),
		altp2m: {
			xl: (xl) => b(xl, "altp2m") ?? (hvm(xl, "altp2m") === undefined ? undefined : "an old flag"),
			ours: ({ altp2m }) => altp2m,
		},
		tscMode: same("tsc_mode", ({ tscMode }) => tscMode),
		timerMode: same("timer_mode", ({ timerMode }) => timerMode),
		localtime: flag("localtime", ({ localtime }) => localtime, false),
		rtcTimeOffset: {
			xl: (xl) => (number(b(xl, "rtc_timeoffset")) ?? 0) | 0,
			ours: (config) => config.rtcTimeOffsetSeconds,
		},
		shadowMemoryKiB: same("shadow_memkb", ({ shadowMemoryKiB }) => shadowMemoryKiB),
		hap: { xl: (xl) => flagAt(undefined, xl, "c_info", "hap"), ours: ({ hap }) => hap },
		oos: { xl: (xl) => flagAt(undefined, xl, "c_info", "oos"), ours: ({ oos }) => oos },
		passthrough: { xl: (xl) => at(xl, "c_info", "passthrough"), ours: ({ passthrough }) => passthrough },
		nomigrate: flag("disable_migrate", ({ nomigrate }) => nomigrate, false),
		msrRelaxed: {
			xl: (xl) => flagAt(false, xl, "b_info", "arch_x86", "msr_relaxed"),
			ours: ({ msrRelaxed }) => msrRelaxed,
		},
		vpmu: flag("vpmu", ({ vpmu }) => vpmu, false),
		vmtraceBufferKiB: same("vmtrace_buf_kb", ({ vmtraceBufferKiB }) => vmtraceBufferKiB),
		e820Host: { xl: (xl) => flagAt(false, xl, "b_info", "type.pv", "e820_host"), ours: ({ e820Host }) => e820Host },
		driverDomain: {
			xl: (xl) => flagAt(false, xl, "c_info", "driver_domain"),
			ours: ({ driverDomain }) => driverDomain,
		},
		writableDevices: {
			xl: (xl) => flagAt(false, xl, "c_info", "xend_suspend_evtchn_compat"),
			ours: ({ xendSuspendEvtchnCompat }) => xendSuspendEvtchnCompat,
		},
		maxGrantFrames: same("max_grant_frames", ({ maxGrantFrames }) => maxGrantFrames),
		maxMaptrackFrames: same("max_maptrack_frames", ({ maxMaptrackFrames }) => maxMaptrackFrames),
		maxGrantVersion: same("max_grant_version", ({ maxGrantVersion }) => maxGrantVersion),
		maxEventChannels: same("event_channels", ({ maxEventChannels }) => maxEventChannels),
		// With init_seclabel, seclabel is the label after the build; alone it is the label from the start.
		securityLabel: {
			xl: (xl) => b(xl, "exec_ssid_label"),
			ours: (config) => (config.initSecurityLabel === undefined ? undefined : config.securityLabel),
		},
		initSecurityLabel: {
			xl: (xl) => at(xl, "c_info", "ssid_label"),
			ours: (config) => config.initSecurityLabel ?? config.securityLabel,
		},
		hasCpuidPolicy: { xl: (xl) => b(xl, "cpuid") !== undefined, ours: ({ cpuid }) => cpuid.length > 0 },
		vnuma: {
			xl: (xl) => listAt(xl, "b_info", "vnuma_nodes").map((node) => at(node, "memkb")),
			ours: ({ vnuma }) => vnuma.map((node) => Number(node.find((item) => item.startsWith("size="))?.slice(5)) * 1024),
		},
		ioPorts: {
			xl: (xl) =>
				listAt(xl, "b_info", "ioports").map((range) => {
					const [first, count] = [Number(at(range, "first")), Number(at(range, "number"))];
					return count === 1 ? first.toString(16) : `${first.toString(16)}-${(first + count - 1).toString(16)}`;
				}),
			ours: ({ ioPorts }) => ioPorts,
		},
		irqs: { xl: (xl) => listAt(xl, "b_info", "irqs"), ours: ({ irqs }) => irqs },
		ioMemory: {
			xl: (xl) =>
				listAt(xl, "b_info", "iomem").map((range) => {
					const [start, count, gfn] = ["start", "number", "gfn"].map((key) => number(at(range, key))?.toString(16));
					return `${start},${count}${gfn === undefined ? "" : `@${gfn}`}`;
				}),
			ours: ({ ioMemory }) => ioMemory,
		},
		onPoweroff: action("on_poweroff", ({ poweroff }) => poweroff),
		onReboot: action("on_reboot", ({ reboot }) => reboot),
		onWatchdog: action("on_watchdog", ({ watchdog }) => watchdog),
		onCrash: action("on_crash", ({ crash }) => crash),
		onSoftReset: action("on_soft_reset", ({ softReset }) => softReset),
		deviceModelVersion: {
			xl: (xl) => (isHvm(xl) ? b(xl, "device_model_version") : undefined),
			ours: ({ deviceModel }) => deviceModel && (deviceModel.place === "minios" ? "qemu_xen_traditional" : "qemu_xen"),
		},
		stub: {
			// A config that says nothing of it gets libxl's default, no stub domain.
			xl: (xl) => (isHvm(xl) ? flagAt(false, xl, "b_info", "device_model_stubdomain") : undefined),
			ours: ({ deviceModel }) => deviceModel && deviceModel.place !== "dom0",
		},
		deviceModel: {
			xl: (xl) => [b(xl, "device_model"), b(xl, "device_model_user"), flagAt(false, xl, "b_info", "dm_restrict")],
			ours: ({ deviceModel }) => [deviceModel?.binary, deviceModel?.user, deviceModel?.restrict ?? false],
		},
		deviceModelArgs: {
			xl: (xl) => ["extra", "extra_hvm", "extra_pv"].map((key) => listAt(xl, "b_info", key)),
			ours: ({ deviceModel }) => [deviceModel?.args ?? [], deviceModel?.argsHvm ?? [], deviceModel?.argsPv ?? []],
		},
		stubKernel: same("stubdomain_kernel", ({ stub }) => stub?.kernel),
		stubRamdisk: same("stubdomain_ramdisk", ({ stub }) => stub?.ramdisk),
		stubCommandLine: same("stubdomain_cmdline", ({ stub }) => stub?.commandLine),
		stubMemoryKiB: same("stubdomain_memkb", ({ stub }) => stub?.memoryKiB),
		stubLabel: same("device_model_ssid_label", ({ stub }) => stub?.securityLabel),
	};
}
