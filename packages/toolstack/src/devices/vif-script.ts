import type { DomId } from "@bulkhead/base";
import { runHotplugScript, type ScriptCall, type ScriptHost } from "./hotplug-script.ts";
import { netbackName, type ServableNic, TAP_SUFFIX, vifDevice } from "./vif.ts";

export interface VifScriptCall {
	domid: DomId;
	nic: ServableNic;
	/** Of the PV interface; or of the tap of a QEMU in domain 0. */
	action: "online" | "offline" | "add" | "remove";
	signal?: AbortSignal;
}

/**
 * What a hot-plug script is told of a nic (libxl_linux.c: get_hotplug_env, libxl__hotplug_nic). A tap in a stub domain
 * is that domain's business.
 */
export function vifScriptCall({ domid, nic, action, signal }: VifScriptCall): Omit<ScriptCall, "path"> {
	const { devid, gatewayDevice = "", type } = nic;
	const vif = netbackName(domid, devid);
	return {
		device: vifDevice(domid, nic),
		args: [action, `type_if=${action === "online" || action === "offline" ? "vif" : "tap"}`],
		env: { netdev: gatewayDevice, ...(type === "ioemu" && { INTERFACE: `${vif}${TAP_SUFFIX}` }), vif },
		signal,
	};
}

/** Runs a nic's script. @throws what runHotplugScript throws */
export const runVifScript = (host: ScriptHost, call: VifScriptCall): Promise<void> =>
	runHotplugScript(host, { ...vifScriptCall(call), path: call.nic.script ?? "" });
