import { spawn } from "node:child_process";
import { identifyProcess, type ProcessIdentity } from "@bulkhead/base";
import { DeviceModelError } from "../../errors.ts";

export interface StartQemu {
	binary: string;
	args: readonly string[];
	env: Readonly<Record<string, string>>;
	/** Open for appending: its standard output and error. */
	logFd: number;
}

/**
 * Starts a QEMU that outlives this process: in a session of its own, without standard input, with the given environment
 * and no other. @throws DeviceModelError when it cannot be started at all
 */
export async function startQemu({ binary, args, env, logFd }: StartQemu): Promise<ProcessIdentity> {
	const child = spawn(binary, args, { detached: true, stdio: ["ignore", logFd, logFd], env, cwd: "/" });
	child.unref();
	const started = await new Promise<Error | undefined>((resolve) => {
		child.once("spawn", () => resolve(undefined));
		child.on("error", resolve);
	});
	if (started || child.pid === undefined)
		throw new DeviceModelError(`Cannot start ${JSON.stringify(binary)}`, {
			cause: started,
			remedy: "Install qemu-system-xen, or correct device_model_override",
		});
	const identity = await identifyProcess(child.pid);
	if (identity === undefined) throw new DeviceModelError("QEMU ended as soon as it was started");
	return identity;
}
