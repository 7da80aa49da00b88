import { CancelledError, printable, serializeError } from "@bulkhead/base";
import type { Hypervisor } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { DeviceError } from "../errors.ts";
import { deviceTitle, type XenbusDevice, xenbusPaths } from "./xenbus-device.ts";

/** libxl's LIBXL_HOTPLUG_TIMEOUT. */
const SCRIPT_TIMEOUT_MS = 40_000;
const LONGEST_REASON = 512;

export interface ScriptHost {
	xenstore: XenstoreClient;
	hypervisor: Pick<Hypervisor, "scripts">;
}

export interface ScriptCall {
	device: XenbusDevice;
	path: string;
	args: readonly string[];
	/** Beside what every script is told. */
	env?: Readonly<Record<string, string>>;
	signal?: AbortSignal;
}

/** What every hot-plug script is told (libxl_linux.c: get_hotplug_env). */
export const scriptEnvironment = ({ domid, kind, devid }: XenbusDevice, path: string): Record<string, string> => ({
	script: path,
	XENBUS_TYPE: kind,
	XENBUS_PATH: `backend/${kind}/${domid}/${devid}`,
	XENBUS_BASE_PATH: "backend",
});

/** Runs a device's script. @throws DeviceError with what the script says of its failure; DeadlineError; CancelledError */
export async function runHotplugScript({ xenstore, hypervisor }: ScriptHost, call: ScriptCall): Promise<void> {
	const { device, path, args, signal } = call;
	const env = { ...scriptEnvironment(device, path), ...call.env };
	const { exitCode, output } = await hypervisor.scripts.run({ path, args, env, timeoutMs: SCRIPT_TIMEOUT_MS, signal });
	if (exitCode === 0) return;
	const told = await xenstore.find(`${xenbusPaths(device).backend}/hotplug-error`);
	const lastLine = output.trim().split("\n").at(-1) ?? "";
	const reason = printable(told ?? lastLine, LONGEST_REASON);
	const ending = exitCode === undefined ? "was killed" : `ended with status ${exitCode}`;
	throw new DeviceError(
		`The script ${path} ${ending} for ${deviceTitle(device)}${reason === "" ? "" : `: ${reason}`}`,
		{
			remedy: `See what \`${path} ${args.join(" ")}\` does, and domain 0's log`,
			fields: { ...device, action: args[0], exitCode: exitCode ?? null, output: printable(output, 2048) },
		},
	);
}

/**
 * Runs the script that set a device up once more, to take it back. What fails is answered, not thrown: a device that is
 * taken away does not stay for a script.
 */
export async function undoHotplugScript(host: ScriptHost, call: Omit<ScriptCall, "path">): Promise<string | undefined> {
	// The backend's directory is domain 0's own: this is the path that was checked and run when the device was set up.
	const path = await host.xenstore.find(`${xenbusPaths(call.device).backend}/script`);
	if (path === undefined || !path.startsWith("/")) return undefined;
	try {
		await runHotplugScript(host, { ...call, path });
		return undefined;
	} catch (error) {
		if (error instanceof CancelledError) throw error;
		return serializeError(error).message;
	}
}
