import { describe, expect, it } from "vitest";
import { eventually, ok, run, useLab } from "./support/dom0.ts";
import { crashGuest, createGuest, findGuest, listGuests, PV } from "./support/guests.ts";
import { leaveNothing } from "./support/leave-nothing.ts";

const IMAGES = "/var/lib/bulkhead/images";
const DISK = "/run/end-actions.img";

describe("what becomes of a guest that crashes", () => {
	const the = useLab();
	leaveNothing(the, () => run(the.lab, ["rm", "-f", DISK]));

	it("rename-restart keeps the domain that crashed, without its disk, and starts the guest anew", async () => {
		await ok(the.lab, ["cp", `${IMAGES}/tiny.img`, DISK]);
		const disk = `disk=["${DISK},raw,xvda,w"]`;
		const guest = await createGuest(the.lab, PV, disk, 'on_crash="rename-restart"');
		await crashGuest(the.lab, guest);
		const again = await eventually("the guest to be back", async () => {
			const found = await findGuest(the.lab, "pv");
			return found && found.domid !== guest.domid && found.phase === "running" ? found : undefined;
		});
		expect(again.uuid).toBe(guest.uuid);
		const kept = (await listGuests(the.lab)).find(({ domid }) => domid === guest.domid);
		expect(kept?.name).toMatch(/^pv-\d{8}T\d{6}Z$/);
		expect(await ok(the.lab, ["xl", "list"])).toContain(kept?.name ?? "");
		expect(await ok(the.lab, ["losetup", "-a"])).toContain(DISK);
		const { exitCode } = await run(the.lab, ["xenstore-exists", `/local/domain/0/backend/vbd/${guest.domid}`]);
		expect(exitCode).not.toBe(0);
	});
});
