import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { SerialSession } from "../../src/serial-session.ts";
import { bulkhead, eventually, ok, run, useLab } from "./support/dom0.ts";
import { crashGuest, createGuest, destroyAll, findGuest, PV, TINY } from "./support/guests.ts";
import { talkToTiny, tellTiny } from "./support/tiny-guest.ts";

describe("a guest's life", () => {
	const the = useLab();
	let before: string[];

	beforeAll(async () => {
		before = await takeSnapshot(the.lab);
	});
	afterEach(() => destroyAll(the.lab));

	it("is restarted in new domains when it reboots, with its uuid", async () => {
		const first = await createGuest(the.lab, TINY, 'on_reboot="restart"');
		await ok(the.lab, ["bulkhead", "reboot", "tiny"]);
		const second = await eventually(
			"the guest to be restarted",
			async () => {
				const found = await findGuest(the.lab, "tiny");
				return found && found.domid !== first.domid && found.phase === "running" ? found : undefined;
			},
			90_000,
		);
		expect(second.uuid).toBe(first.uuid);
		expect(second.stub?.domid).not.toBe(first.stub?.domid);
		await talkToTiny(the.lab, second);
	});

	it("ends when it powers off, and its end is told", async () => {
		const guest = await createGuest(the.lab, TINY);
		await tellTiny(the.lab, guest, "o");
		await eventually("the guest to be gone", async () => ((await findGuest(the.lab, "tiny")) ? undefined : true));
		expect(await findResidue(the.lab, before)).toEqual([]);
	});

	it("is over when it crashes, and its domain can be kept to be looked at", async () => {
		const guest = await createGuest(the.lab, TINY, 'on_crash="preserve"');
		await crashGuest(the.lab, guest);
		const crashed = await eventually("the crash to be noticed", async () => {
			const found = await findGuest(the.lab, "tiny");
			return found?.phase === "crashed" ? found : undefined;
		});
		expect(crashed.state).toContain("c");
		await ok(the.lab, ["bulkhead", "destroy", "tiny"]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});

	it("can be paused, unpaused, renamed and looked up", async () => {
		const { domid, uuid } = await createGuest(the.lab, TINY, 'name="first"');
		await ok(the.lab, ["bulkhead", "pause", "first"]);
		expect(await findGuest(the.lab, "first")).toMatchObject({ phase: "paused" });
		await ok(the.lab, ["bulkhead", "unpause", `${domid}`]);
		await ok(the.lab, ["bulkhead", "rename", uuid, "second"]);
		expect((await ok(the.lab, ["bulkhead", "domid", "second"])).trim()).toBe(`${domid}`);
		expect((await ok(the.lab, ["bulkhead", "domname", `${domid}`])).trim()).toBe("second");
		expect(await ok(the.lab, ["xl", "list"])).toMatch(/^second-dm /m);
		expect((await run(the.lab, ["bulkhead", "list", "first"])).exitCode).toBe(3);
	});

	it("is shut down on request when it listens, as a PV guest does", async () => {
		const guest = await createGuest(the.lab, PV);
		const serial = await SerialSession.open(the.lab, guest, "pv");
		serial.write("\n");
		await serial.expect(/# /, 60_000);
		serial.close();
		await ok(the.lab, ["bulkhead", "shutdown", "-w", "pv"]);
		expect(await bulkhead(the.lab, "list")).toEqual([]);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});
});
