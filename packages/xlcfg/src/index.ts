export { type DiskSpec, parseDiskSpec } from "./disk-spec.ts";
export { formatGuestConfig } from "./format-guest-config.ts";
export {
	type DeviceModelFailureAction,
	type DiskBus,
	type DiskConfig,
	type EndAction,
	GUEST_CONFIG_VERSION,
	type GuestConfig,
	type StubConfig,
} from "./guest-config.ts";
export { guestConfigFromJson } from "./guest-config-from-json.ts";
export { guestNameProblem } from "./guest-name.ts";
export { XLCFG_LIMITS } from "./limits.ts";
export { type ParsedGuest, type ParseGuestOptions, parseGuestConfig } from "./parse-guest-config.ts";
export { parseTree } from "./parse-tree.ts";
export type { Assignment, ListNode, NumberNode, StringNode, ValueNode } from "./tree.ts";
export { parseVdev, type Vdev } from "./vdev.ts";
export { describeProblem, type Position, XlCfgError, type XlCfgProblem } from "./xlcfg-error.ts";
