import type { EndAction, GuestConfig } from "../guest-config.ts";
import type { ConfigReader } from "./config-reader.ts";

export const END_ACTIONS = [
	"destroy",
	"restart",
	"rename-restart",
	"preserve",
	"coredump-destroy",
	"coredump-restart",
	"soft-reset",
] as const;

/** What becomes of a guest that ends (xl-cfg.md §9). */
export function readLifecycle(reader: ConfigReader): GuestConfig["lifecycle"] {
	const action = (key: string, otherwise: EndAction): EndAction => reader.word(key, END_ACTIONS) ?? otherwise;
	return {
		poweroff: action("on_poweroff", "destroy"),
		reboot: action("on_reboot", "restart"),
		watchdog: action("on_watchdog", "destroy"),
		crash: action("on_crash", "destroy"),
		softReset: action("on_soft_reset", "soft-reset"),
		deviceModelFailure: reader.word("on_device_model_failure", ["destroy", "preserve", "pause"]) ?? "destroy",
	};
}
