import { beforeAll, describe, expect, it } from "vitest";
import { SerialSession } from "../../src/serial-session.ts";
import { bulkhead, eventually, ok, run, useLab } from "../xen/support/dom0.ts";
import { crashGuest, createGuest, findGuest, type GuestDocument, listGuests, PV } from "../xen/support/guests.ts";
import { leaveNothing } from "../xen/support/leave-nothing.ts";

const DUMPS = "/var/lib/bulkhead/dumps";
const MIB = 1 << 20;
/** 64-bit, little-endian, ET_CORE. */
const ELF_CORE: unknown = expect.stringMatching(/^7f454c460201[0-9a-f]*0400$/);

describe("cores", () => {
	const the = useLab();

	beforeAll(async () => {
		await ok(the.lab, ["mkdir", "-p", "-m", "700", DUMPS]);
	});
	leaveNothing(the, () => run(the.lab, ["sh", "-c", `rm -f ${DUMPS}/* /tmp/pv.core`]));

	async function awaitShell(guest: GuestDocument): Promise<void> {
		const serial = await SerialSession.open(the.lab, guest, "pv");
		serial.write("\n");
		await serial.expect(/# /, 60_000);
		serial.close();
	}

	/** Magic, class, byte order and kind of an ELF file, its size, its mode. */
	async function describeCore(file: string): Promise<{ head: string; bytes: number; mode: string }> {
		const head = await ok(the.lab, ["sh", "-c", `head -c 18 ${file} | od -An -v -tx1 | tr -d ' \\n'`]);
		const [bytes = "", mode = ""] = (await ok(the.lab, ["stat", "-c", "%s %a", file])).trim().split(" ");
		return { head, bytes: Number(bytes), mode };
	}

	it("a running guest's core is an ELF file with all of its memory, and so is that of one that crashed", async () => {
		const guest = await createGuest(the.lab, PV, 'on_crash="coredump-destroy"');
		// libxenctrl finds a PV guest's pages by a table that its kernel makes first.
		await awaitShell(guest);
		const { bytes } = await bulkhead<{ bytes: number }>(the.lab, "dump-core", "pv", "/tmp/pv.core");
		const core = await describeCore("/tmp/pv.core");
		expect(core).toMatchObject({ head: ELF_CORE, bytes, mode: "600" });
		expect(bytes).toBeGreaterThan(127 * MIB);
		expect(bytes).toBeLessThan(140 * MIB);
		expect(await findGuest(the.lab, "pv")).toMatchObject({ domid: guest.domid, phase: "running" });

		await crashGuest(the.lab, guest);
		await eventually("the guest to be gone", async () => (await listGuests(the.lab)).length === 0 || undefined);
		const kept = await describeCore((await ok(the.lab, ["sh", "-c", `ls ${DUMPS}/pv.*.core`])).trim());
		expect(kept).toMatchObject({ head: ELF_CORE, mode: "600" });
		expect(kept.bytes).toBeGreaterThan(127 * MIB);
	});
});
