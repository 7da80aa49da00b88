import { once } from "node:events";
import type { Lab } from "../lab.ts";
import { SerialSession } from "../serial-session.ts";

/** The parts of the API's guest document that `npm run up` speaks of. */
export interface ExampleGuest {
	uuid: string;
	name: string;
	domid: number;
	memoryKiB: number;
	state: string;
	stub: { domid: number; memoryKiB: number; state: string };
	consoles: { label: string; socketPath?: string; ptyPath?: string }[];
}

export const EXAMPLE_CONFIG = "/etc/bulkhead/examples/linux.cfg";
const READY = /BULKHEAD-GUEST-READY disk-sha256=([0-9a-f]{64}) write=ok/;
export const BOOT_TIMEOUT_MS = 240_000;

/** Creates the example guest with the CLI in dom0, as a person would. */
export async function createExample(lab: Lab, say: (line: string) => void): Promise<ExampleGuest> {
	const child = lab.spawn(["bulkhead", "create", EXAMPLE_CONFIG]);
	for (const output of [child.stdout, child.stderr])
		output?.on("data", (chunk: Buffer) => say(chunk.toString().trimEnd()));
	const [code] = (await once(child, "close")) as [number | null];
	if (code !== 0) throw new Error(`bulkhead create ended with ${code}`);
	return describeExample(lab);
}

export async function describeExample(lab: Lab): Promise<ExampleGuest> {
	return (await ask<ExampleGuest[]>(lab, "list", "-l", "linux"))[0] as ExampleGuest;
}

/** `bulkhead --json …` in dom0. */
export async function ask<T>(lab: Lab, ...args: string[]): Promise<T> {
	const { exitCode, stdout, stderr } = await lab.exec(["bulkhead", "--json", ...args], { timeoutMs: 120_000 });
	if (exitCode !== 0)
		throw new Error(`bulkhead ${args.join(" ")} ended with ${exitCode}: ${stderr}${stdout.toString()}`);
	return JSON.parse(stdout.toString()) as T;
}

/**
 * Waits until the guest says on its serial port that it has read and written its disk, and answers the SHA-256 that it
 * computed. Listening starts as soon as the guest does, and no guest boots faster than that.
 */
export async function awaitMarker(lab: Lab, guest: ExampleGuest): Promise<{ serial: SerialSession; sha256: string }> {
	const serial = await SerialSession.open(lab, guest, "serial0");
	const [, sha256 = ""] = await serial.expect(READY, BOOT_TIMEOUT_MS);
	return { serial, sha256 };
}

/** The SHA-256 that the disk's data file was made with. */
export async function expectedSha256(lab: Lab): Promise<string> {
	const { stdout } = await lab.exec(["cat", "/var/lib/bulkhead/images/linux.img.json"], { timeoutMs: 30_000 });
	return (JSON.parse(stdout.toString()) as { diskSha256: string }).diskSha256;
}
