export {
	type DeviceModelFailureAction,
	type DiskBus,
	type DiskConfig,
	type EndAction,
	GUEST_CONFIG_VERSION,
	type GuestConfig,
	type StubConfig,
} from "./guest-config.ts";
export { XLCFG_LIMITS } from "./limits.ts";
export { describeProblem, type Position, XlCfgError, type XlCfgProblem } from "./xlcfg-error.ts";
