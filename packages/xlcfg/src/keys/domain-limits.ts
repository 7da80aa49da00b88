import { InvalidInputError, printable } from "@bulkhead/base";
import { ABSENT } from "../absent.ts";
import { defined } from "../defined.ts";
import type { GuestConfig } from "../guest-config.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readLabel } from "./device-model.ts";
import { readEach } from "./read-path.ts";

type Limits = Pick<
	GuestConfig,
	| ("driverDomain" | "xendSuspendEvtchnCompat" | "maxGrantFrames" | "maxMaptrackFrames" | "maxGrantVersion")
	| ("maxEventChannels" | "vmtraceBufferKiB" | "xenstoreFeatureMask" | "xenstoreQuota")
	| ("securityLabel" | "initSecurityLabel")
>;

/** What Xen and xenstored grant the domain (xl-cfg.md §2, §8). */
export function readDomainLimits(reader: ConfigReader): Limits {
	const frames = { min: 0, max: 0x7fff_ffff };
	return defined<Limits>({
		driverDomain: reader.boolean("driver_domain") ?? ABSENT.driverDomain,
		xendSuspendEvtchnCompat: reader.boolean("xend_suspend_evtchn_compat") ?? ABSENT.xendSuspendEvtchnCompat,
		maxGrantFrames: reader.integer("max_grant_frames", frames),
		maxMaptrackFrames: reader.integer("max_maptrack_frames", frames),
		maxGrantVersion: reader.integer("max_grant_version", { min: 0, max: 2 }),
		maxEventChannels: reader.integer("max_event_channels", { min: 1, max: 131_071 }),
		vmtraceBufferKiB: reader.integer("vmtrace_buf_kb", { min: 0, max: 1_048_576 }) || undefined,
		xenstoreFeatureMask: reader.integer("xenstore_feature_mask", { min: 0, max: 0xffff_ffff }),
		xenstoreQuota: readEach(reader, "xenstore_quota", checkQuota),
		securityLabel: readLabel(reader, "seclabel"),
		initSecurityLabel: readLabel(reader, "init_seclabel"),
	});
}

/** @throws InvalidInputError */
export function checkQuota(text: string): string {
	if (/^[a-z][a-z-]{0,63}=[0-9]{1,10}$/.test(text)) return text;
	throw new InvalidInputError(`"${printable(text, 64)}" is no quota of xenstore`, { remedy: 'Write "nodes=1000"' });
}
