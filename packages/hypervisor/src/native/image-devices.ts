import { access, chmod, chown, mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
	endsWithin,
	findProcess,
	findUser,
	isRunning,
	Mutex,
	type ProcessIdentity,
	stopProcess,
	type User,
} from "@bulkhead/base";
import { HypervisorError } from "../errors.ts";
import type { AttachImage, ImageDevice, ImageDevices } from "../ports/image-devices.ts";
import { imageServerArgs } from "./image-server-args.ts";
import { connectedBy, connectNbd, disconnectNbd, type NbdDevice, nbdProblem } from "./nbd.ts";
import { runProgram } from "./run-program.ts";

const QEMU_NBD = "/usr/bin/qemu-nbd";
const START_MS = 15_000;
/** A server that has been disconnected writes out what it holds of the image. */
const FINISH_MS = 10_000;
const STOP = { title: "An image server", graceMs: 5000, killMs: 5000 };

/** What is written down in an image's folder, for whoever releases it. */
interface ImageState {
	server?: ProcessIdentity;
	device?: NbdDevice;
}

/** Images served by one qemu-nbd each, as a user without privilege; the kernel's nbd driver is connected to it. */
export class NativeImageDevices implements ImageDevices {
	readonly #userName: string;
	/** One at a time looks for a free device. */
	readonly #connecting = new Mutex();

	constructor(userName: string) {
		this.#userName = userName;
	}

	async problem(): Promise<{ why: string; remedy: string } | undefined> {
		const name = this.#userName;
		const isThere = await access(QEMU_NBD).then(
			() => true,
			() => false,
		);
		if (!isThere) return { why: `${QEMU_NBD} is missing`, remedy: "Install qemu-utils" };
		if (!findUser(name))
			return { why: `there is no user ${name}`, remedy: `Make it: useradd --system --no-create-home ${name}` };
		return nbdProblem();
	}

	async attach(request: AttachImage): Promise<ImageDevice> {
		const { folder, path } = request;
		const missing = await this.problem();
		const user = findUser(this.#userName);
		if (missing || !user)
			throw new HypervisorError(`Cannot serve the image ${path}: ${missing?.why ?? "there is no user for it"}`, {
				errno: "",
				remedy: missing?.remedy,
			});
		try {
			const server = await this.#startServer(request, user);
			await writeState(folder, { server });
			const device = await this.#connecting.run(() =>
				connectNbd(socketOf(folder), (device) => writeState(folder, { server, device })),
			);
			await rm(serverFolder(folder), { recursive: true, force: true });
			return { path: device.path, physicalDevice: device.physicalDevice };
		} catch (error) {
			await this.release(folder);
			throw error;
		}
	}

	async isServed(folder: string): Promise<boolean> {
		const { server } = await readState(folder);
		return server !== undefined && (await isRunning(server));
	}

	async release(folder: string): Promise<void> {
		const state = await readState(folder);
		const { device } = state;
		// A device that another process has connected meanwhile is not ours any more.
		if (device && (await connectedBy(device.path)) === device.connectedBy) await disconnectNbd(device.path);
		const user = findUser(this.#userName);
		// One that was started just before it was written down is known by its argument.
		const server = state.server ?? (user && (await findProcess(`--socket=${socketOf(folder)}`, user.uid)));
		if (server && !(device && (await endsWithin(server, FINISH_MS)))) await stopProcess(server, STOP);
		await rm(folder, { recursive: true, force: true });
		// The guest's, when this was its last.
		await rmdir(dirname(folder)).catch(() => {});
	}

	async #startServer(request: AttachImage, user: User): Promise<ProcessIdentity> {
		const { folder, path } = request;
		await makeFolders(folder, user);
		const { exitCode, output } = await runProgram({
			title: "qemu-nbd",
			path: QEMU_NBD,
			args: imageServerArgs(request, socketOf(folder)),
			env: {},
			timeoutMs: START_MS,
			user: { uid: user.uid, gid: user.gid },
		});
		// With --fork it exits once the image is open and the socket there; what it has forked goes on.
		const server = await findProcess(`--socket=${socketOf(folder)}`, user.uid);
		if (exitCode === 0 && server) return server;
		const denied = output.includes("Permission denied");
		throw new HypervisorError(`The image ${path} could not be opened: ${lastLine(output)}`, {
			errno: denied ? "EACCES" : "EIO",
			remedy: denied
				? `Let its server use it: chgrp ${user.name} ${path}; chmod g+rw ${path}; and let it pass through the folders above`
				: "Look at it with qemu-img info and qemu-img check, and see that nobody else has it open",
		});
	}
}

const serverFolder = (folder: string): string => join(folder, "server");
const socketOf = (folder: string): string => join(serverFolder(folder), "nbd");
const stateFile = (folder: string): string => join(folder, "state.json");

/** The server's user may pass through the outer ones and owns the innermost; the state is root's. */
async function makeFolders(folder: string, { uid, gid }: User): Promise<void> {
	for (const each of [dirname(dirname(folder)), dirname(folder), folder]) {
		await mkdir(each, { recursive: true });
		await chmod(each, 0o711);
	}
	await mkdir(serverFolder(folder), { mode: 0o700 });
	await chown(serverFolder(folder), uid, gid);
}

async function writeState(folder: string, state: ImageState): Promise<void> {
	await writeFile(stateFile(folder), JSON.stringify(state), { mode: 0o600 });
}

async function readState(folder: string): Promise<ImageState> {
	const text = await readFile(stateFile(folder), "utf8").catch(() => "{}");
	try {
		return JSON.parse(text) as ImageState;
	} catch {
		// A daemon was killed while it wrote: the server is found by its argument.
		return {};
	}
}

const lastLine = (output: string): string => output.trim().split("\n").at(-1)?.slice(0, 400) ?? "";
