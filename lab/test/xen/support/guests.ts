import type { Lab } from "../../../src/lab.ts";
import { bulkhead, ok, run } from "./dom0.ts";

export interface GuestDocument {
	uuid: string;
	name: string;
	domid: number;
	phase: string;
	state: string;
	stub?: { domid: number; memoryKiB: number; state: string; error?: string };
	qmp?: { status: string };
	consoles: { label: string; kind: string; ptyPath?: string; socketPath?: string }[];
}

export interface ErrorDocument {
	code: string;
	message: string;
	remedy?: string;
	fields?: Record<string, unknown>;
	cause?: ErrorDocument;
}

export const TINY = "/etc/bulkhead/examples/tiny.cfg";
export const PV = "/etc/bulkhead/examples/pv.cfg";

/** Creates a guest and answers its document. Retries once, and says so, on the emulator's known flake only. */
export async function createGuest(lab: Lab, file: string, ...overrides: string[]): Promise<GuestDocument> {
	const flakesBefore = await lab.tripleFaults();
	const { exitCode, stdout, stderr } = await run(lab, ["bulkhead", "--json", "create", file, ...overrides]);
	if (exitCode !== 0 && (await lab.tripleFaults()) > flakesBefore) {
		console.warn(`The emulator's triple fault struck while ${file} was created: trying once more`);
		return JSON.parse(await ok(lab, ["bulkhead", "--json", "create", file, ...overrides])).guest;
	}
	if (exitCode !== 0) throw new Error(`create ${file} ended with ${exitCode}: ${stderr}${stdout}`);
	return JSON.parse(stdout).guest;
}

/** Creates a guest that must be refused and answers the error. */
export async function createRefused(
	lab: Lab,
	file: string,
	...overrides: string[]
): Promise<{ exitCode: number; error: ErrorDocument }> {
	const { exitCode, stdout } = await run(lab, ["bulkhead", "--json", "create", file, ...overrides]);
	return { exitCode, error: JSON.parse(stdout).error };
}

export const listGuests = (lab: Lab): Promise<GuestDocument[]> => bulkhead<GuestDocument[]>(lab, "list");

export async function findGuest(lab: Lab, name: string): Promise<GuestDocument | undefined> {
	return (await listGuests(lab)).find((guest) => guest.name === name);
}

/** Destroys whatever a failed test left, so that the next one starts from an empty host. */
export async function destroyAll(lab: Lab): Promise<void> {
	for (const { uuid } of await listGuests(lab)) await run(lab, ["bulkhead", "destroy", uuid]);
}
