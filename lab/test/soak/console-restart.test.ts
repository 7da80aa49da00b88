import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFromGuest, writeToGuest } from "../xen/support/console-transfer.ts";
import { killAndAwaitRestart } from "../xen/support/daemons.ts";
import { useLab } from "../xen/support/dom0.ts";
import { createGuest, destroyAll, type GuestDocument, PV } from "../xen/support/guests.ts";
import { GuestShell } from "../xen/support/network.ts";

const TRANSFER = { bytes: 16 * 1024 * 1024, timeoutMs: 15 * 60_000, at: [0.25, 0.5, 0.75] };

describe("a console, for long", () => {
	const the = useLab();
	let guest: GuestDocument;

	beforeAll(async () => {
		guest = await createGuest(the.lab, PV);
		(await GuestShell.open(the.lab, guest, "pv", 60_000)).close();
	}, 180_000);
	afterAll(() => destroyAll(the.lab));

	it.each([
		["out of", readFromGuest],
		["into", writeToGuest],
	])("loses and repeats nothing of 16 MiB %s the guest in which the relay is killed three times", async (_, carry) => {
		const disturb = (): Promise<void> => killAndAwaitRestart(the.lab, "bulkhead-relay");
		const sums = await carry(the.lab, guest, { ...TRANSFER, disturb });
		expect(sums.inDom0).toMatch(/^[0-9a-f]{64}$/);
		expect(sums.inDom0).toBe(sums.inGuest);
	});
});
