export { ABSENT } from "./absent.ts";
export * from "./guest-config.ts";
export { guestNameProblem } from "./guest-name.ts";
export { XLCFG_LIMITS } from "./limits.ts";
export {
	type CheckedGuest,
	checkGuestConfig,
	type ParsedGuest,
	type ParseGuestOptions,
	parseGuestConfig,
} from "./parse-guest-config.ts";
export { formatGuestConfig } from "./print/format-guest-config.ts";
export { describeProblem, type Position, XlCfgError, type XlCfgProblem } from "./problems/xlcfg-error.ts";
export { type ChannelEndpoint, type ChannelTls, channelEndpoint } from "./specs/channel-endpoint.ts";
export { checkChannelFits, formatChannel, parseChannelSpec } from "./specs/channel-spec.ts";
export { formatDisk } from "./specs/disk-config.ts";
export { checkDiskFits } from "./specs/disk-fits.ts";
export { type DiskSpec, parseDiskSpec } from "./specs/disk-spec.ts";
export { type KeyedKind, parseKeyedDevice } from "./specs/keyed-device.ts";
export { makeRandomMac, parseMac } from "./specs/mac.ts";
export { formatNic, type NicContext, type ParsedNic, parseNicSpec } from "./specs/nic-spec.ts";
export { formatPci, type PciDefaults, parsePciSpec } from "./specs/pci-spec.ts";
export { readDisk } from "./specs/read-disk.ts";
export { parseVdev, type Vdev } from "./specs/vdev.ts";
export { guestConfigFromJson } from "./stored/guest-config-from-json.ts";
export { parseTree } from "./text/parse-tree.ts";
export { type PlainValue, printValue, SourceText } from "./text/source-text.ts";
export type { Assignment, ListNode, NumberNode, StringNode, ValueNode } from "./text/tree.ts";
