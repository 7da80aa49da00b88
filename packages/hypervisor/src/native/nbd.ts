import { access, readdir, readFile, stat } from "node:fs/promises";
import { HypervisorError } from "../errors.ts";
import { physicalDevice } from "../physical-device.ts";
import { runProgram } from "./run-program.ts";

const NBD_MODULE = "/sys/module/nbd";
const NBD_CLIENT = ["/usr/sbin/nbd-client", "/sbin/nbd-client"] as const;
const BLOCK_DEVICES = "/sys/block";
const CALL_MS = 15_000;
const SECTOR = "512";

/** A device of the nbd driver that is connected. */
export interface NbdDevice {
	/** "/dev/nbd3" */
	path: string;
	/** "2b:3" */
	physicalDevice: string;
	/** The process that connected it, by which it is known again. */
	connectedBy: string;
}

/**
 * Connects a free device of the kernel to the NBD server behind a unix socket. The kernel keeps the connection: no process
 * of ours has to. `onDevice` is called before anything that follows. @throws HypervisorError
 */
export async function connectNbd(socket: string, onDevice: (device: NbdDevice) => Promise<void>): Promise<NbdDevice> {
	const client = await findClient();
	let said = "all are in use";
	for (const name of await freeDevices()) {
		const path = `/dev/${name}`;
		const args = ["-unix", socket, path, "-b", SECTOR];
		const { exitCode, output } = await runProgram({
			title: "nbd-client",
			path: client,
			args,
			env: {},
			timeoutMs: CALL_MS,
		});
		const owner = exitCode === 0 ? await connectedBy(path) : undefined;
		if (owner === undefined) {
			said = output.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
			continue;
		}
		const { rdev } = await stat(path);
		const device = { path, physicalDevice: physicalDevice(rdev), connectedBy: owner };
		await onDevice(device);
		return device;
	}
	throw new HypervisorError(`No nbd device could be connected: ${said}`, {
		errno: "EBUSY",
		remedy: "Load the module with more of them: modprobe nbd max_part=0 nbds_max=256",
	});
}

/** What connecting needs and the host lacks; undefined: nothing. */
export async function nbdProblem(): Promise<{ why: string; remedy: string } | undefined> {
	if ((await findClient().catch(() => undefined)) === undefined)
		return { why: "nbd-client is missing", remedy: "Install nbd-client" };
	const partitions = await readFile(`${NBD_MODULE}/parameters/max_part`, "latin1").catch(() => undefined);
	if (partitions === undefined)
		return { why: "the module nbd is not loaded", remedy: "Load it: modprobe nbd max_part=0 nbds_max=64" };
	// The kernel would read the partition tables of disks that guests write.
	if (partitions.trim() === "0") return undefined;
	return {
		why: "the module nbd looks for partitions in guests' disks",
		remedy: "Load it anew: rmmod nbd; modprobe nbd max_part=0 nbds_max=64",
	};
}

/** The kernel's word for who connected a device; undefined: it is free. */
export async function connectedBy(path: string): Promise<string | undefined> {
	const name = path.slice("/dev/".length);
	return readFile(`${BLOCK_DEVICES}/${name}/pid`, "latin1").then(
		(text) => text.trim(),
		() => undefined,
	);
}

export async function disconnectNbd(path: string): Promise<void> {
	const client = await findClient();
	await runProgram({ title: "nbd-client", path: client, args: ["-d", path], env: {}, timeoutMs: CALL_MS });
}

async function findClient(): Promise<string> {
	for (const path of NBD_CLIENT)
		if (
			await access(path).then(
				() => true,
				() => false,
			)
		)
			return path;
	throw new HypervisorError("nbd-client is missing", { errno: "ENOENT", remedy: "Install nbd-client" });
}

async function freeDevices(): Promise<string[]> {
	const names = (await readdir(BLOCK_DEVICES)).filter((name) => /^nbd\d+$/.test(name));
	const taken = await Promise.all(names.map((name) => connectedBy(`/dev/${name}`)));
	return names.filter((_, at) => taken[at] === undefined).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}
