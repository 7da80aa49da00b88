import { type DomId, printable } from "@bulkhead/base";
import type { NicConfig } from "@bulkhead/xlcfg";
import { backendPath } from "../domain/paths.ts";
import { DeviceError } from "../errors.ts";
import type { NicHost } from "./connect-nic.ts";
import { netbackName, TAP_SUFFIX } from "./vif.ts";

/** libxl's LIBXL_HOTPLUG_TIMEOUT. */
const SCRIPT_TIMEOUT_MS = 40_000;
const LONGEST_REASON = 512;

export interface VifScriptCall {
	domid: DomId;
	nic: NicConfig;
	/** Of the PV interface; or of the tap of a QEMU in domain 0. */
	action: "online" | "offline" | "add" | "remove";
	signal?: AbortSignal;
}

/**
 * What a hot-plug script is told of a nic (libxl_linux.c: get_hotplug_env, libxl__hotplug_nic). A tap in a stub domain
 * is that domain's business.
 */
export function vifScriptCall({ domid, nic, action }: VifScriptCall): { args: string[]; env: Record<string, string> } {
	const { devid, gatewayDevice = "", type, script = "" } = nic;
	const vif = netbackName(domid, devid);
	return {
		args: [action, `type_if=${action === "online" || action === "offline" ? "vif" : "tap"}`],
		env: {
			script,
			XENBUS_TYPE: "vif",
			XENBUS_PATH: `backend/vif/${domid}/${devid}`,
			XENBUS_BASE_PATH: "backend",
			netdev: gatewayDevice,
			...(type === "ioemu" && { INTERFACE: `${vif}${TAP_SUFFIX}` }),
			vif,
		},
	};
}

/** Runs a nic's script. @throws DeviceError with what the script says of its failure; DeadlineError; CancelledError */
export async function runVifScript({ xenstore, hypervisor }: NicHost, call: VifScriptCall): Promise<void> {
	const { domid, nic, action, signal } = call;
	const path = nic.script ?? "";
	const request = { path, ...vifScriptCall(call), timeoutMs: SCRIPT_TIMEOUT_MS, signal };
	const { exitCode, output } = await hypervisor.scripts.run(request);
	if (exitCode === 0) return;
	const told = await xenstore.find(`${backendPath(domid, "vif", nic.devid)}/hotplug-error`);
	const lastLine = output.trim().split("\n").at(-1) ?? "";
	const reason = printable(told ?? lastLine, LONGEST_REASON);
	const ending = exitCode === undefined ? "was killed" : `ended with status ${exitCode}`;
	throw new DeviceError(`The script ${path} ${ending} for nic ${nic.devid}${reason === "" ? "" : `: ${reason}`}`, {
		remedy: `See what \`${path} ${request.args.join(" ")}\` does, and domain 0's log`,
		fields: { domid, devid: nic.devid, action, exitCode: exitCode ?? null, output: printable(output, 2048) },
	});
}
