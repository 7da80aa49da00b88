import { ABSENT } from "../absent.ts";
import type { GuestConfig } from "../guest-config.ts";
import { hvmBootLines, kernelLines } from "./boot-lines.ts";
import { deviceLines, emulatedDeviceLines } from "./device-lines.ts";
import { flag, list, mebibytes, number, text } from "./lines.ts";
import { cpuLines, platformLines } from "./platform-lines.ts";

/** xl.cfg text that parses to the same config. What a config says nothing of, or means anyway, is not printed. */
export function formatGuestConfig(config: GuestConfig): string {
	const { maxMemoryKiB, memoryKiB, lifecycle, stub } = config;
	const lines = [
		...text("name", config.name),
		...text("uuid", config.uuid),
		...text("type", config.type),
		...mebibytes("memory", memoryKiB),
		...(maxMemoryKiB === memoryKiB ? [] : mebibytes("maxmem", maxMemoryKiB)),
		...kernelLines(config),
		...(config.type === "hvm" ? hvmBootLines(config) : []),
		...cpuLines(config),
		...platformLines(config),
		...deviceLines(config),
		...(config.type === "hvm" ? emulatedDeviceLines(config) : []),
		...domainLines(config),
		...text("on_poweroff", lifecycle.poweroff),
		...text("on_reboot", lifecycle.reboot),
		...text("on_watchdog", lifecycle.watchdog),
		...text("on_crash", lifecycle.crash),
		...text("on_soft_reset", lifecycle.softReset),
		...(config.type === "hvm" ? text("on_device_model_failure", lifecycle.deviceModelFailure) : []),
		...deviceModelLines(config),
		...text("stubdomain_kernel", stub?.kernel),
		...text("stubdomain_ramdisk", stub?.ramdisk),
		...mebibytes("stubdomain_memory", stub?.memoryKiB),
		...text("stubdomain_cmdline", stub?.commandLine),
		...text("device_model_stubdomain_seclabel", stub?.securityLabel),
	];
	return `${lines.join("\n")}\n`;
}

function domainLines(config: GuestConfig): string[] {
	return [
		...text("seclabel", config.securityLabel),
		...text("init_seclabel", config.initSecurityLabel),
		...flag("driver_domain", config.driverDomain, ABSENT.driverDomain),
		...flag("xend_suspend_evtchn_compat", config.xendSuspendEvtchnCompat, ABSENT.xendSuspendEvtchnCompat),
		...number("max_grant_frames", config.maxGrantFrames),
		...number("max_maptrack_frames", config.maxMaptrackFrames),
		...number("max_grant_version", config.maxGrantVersion),
		...number("max_event_channels", config.maxEventChannels),
		...number("vmtrace_buf_kb", config.vmtraceBufferKiB),
		...number("xenstore_feature_mask", config.xenstoreFeatureMask),
		...list("xenstore_quota", config.xenstoreQuota),
	];
}

function deviceModelLines({ type, deviceModel }: GuestConfig): string[] {
	if (!deviceModel) return [];
	const { place } = deviceModel;
	return [
		...(type === "hvm" ? text("device_model_version", place === "minios" ? "qemu-xen-traditional" : "qemu-xen") : []),
		...(type === "hvm" ? number("device_model_stubdomain_override", Number(place !== "dom0")) : []),
		...text("device_model_override", deviceModel.binary),
		...text("device_model_user", deviceModel.user),
		...flag("dm_restrict", deviceModel.restrict, false),
		...list("device_model_args", deviceModel.args),
		...list("device_model_args_hvm", deviceModel.argsHvm),
		...list("device_model_args_pv", deviceModel.argsPv),
	];
}
