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

/** Creates a guest and answers its document. */
export async function createGuest(lab: Lab, file: string, ...overrides: string[]): Promise<GuestDocument> {
	return JSON.parse(await ok(lab, ["bulkhead", "--json", "create", file, ...overrides])).guest;
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

/** Marks a guest's domain as crashed, as its own kernel's panic would, through the addon that the daemon uses. */
export async function crashGuest(lab: Lab, { domid }: Pick<GuestDocument, "domid">): Promise<void> {
	await ok(lab, ["node", "-e", CRASH, `${domid}`]);
}

const CRASH = `
const { createRequire } = require("module");
const addon = createRequire("/usr/lib/bulkhead/")("/usr/lib/bulkhead/native/xenctrl.node");
addon.shutdown(Number(process.argv[1]), 3).catch((error) => { console.error(error); process.exit(1); });
`;
