import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SerialSession } from "../../src/serial-session.ts";
import { readFromGuest } from "./support/console-transfer.ts";
import { killAndAwaitRestart } from "./support/daemons.ts";
import { eventually, useLab } from "./support/dom0.ts";
import { createGuest, destroyAll, type GuestDocument, PV } from "./support/guests.ts";
import { GuestShell } from "./support/network.ts";

const ONE_MIB = 1024 * 1024;

describe("a console", () => {
	const the = useLab();
	let guest: GuestDocument;

	beforeAll(async () => {
		guest = await createGuest(the.lab, PV);
		(await GuestShell.open(the.lab, guest, "pv", 60_000)).close();
	}, 180_000);
	afterAll(() => destroyAll(the.lab));

	it("carries 1 MiB each way with equal SHA-256", async () => {
		const serial = await SerialSession.open(the.lab, guest, "pv");
		serial.write("stty raw -echo; echo READY''RAW; head -c 1048576 | sha256sum; stty sane\n");
		await serial.expect(/READYRAW\n/, 20_000);
		const bytes = pseudoRandom(ONE_MIB);
		serial.write(bytes);
		const [, received] = await serial.expect(/([0-9a-f]{64}) {2}-/, 120_000);
		expect(received).toBe(sha256(bytes));
		await serial.expect(/# /, 30_000);

		serial.write(
			"head -c 1048576 /dev/urandom > /tmp/sent; stty raw -echo; printf BEG''IN; cat /tmp/sent; sha256sum < /tmp/sent; stty sane\n",
		);
		await serial.expect(/BEGIN/, 60_000);
		const sent = await serial.take(ONE_MIB, 120_000);
		const [, claimed] = await serial.expect(/([0-9a-f]{64}) {2}-/, 30_000);
		expect(sha256(sent)).toBe(claimed);
		serial.close();
	}, 400_000);

	it("loses and repeats nothing of 1 MiB in whose middle the relay is killed", async () => {
		const disturb = (): Promise<void> => killAndAwaitRestart(the.lab, "bulkhead-relay");
		const sums = await readFromGuest(the.lab, guest, { bytes: ONE_MIB, timeoutMs: 200_000, at: [0.5], disturb });
		expect(sums.inDom0).toBe(sums.inGuest);
	}, 400_000);

	it("goes on for who is attached when the guest reboots", async () => {
		const child = the.lab.spawn(["bulkhead", "console", "-t", "pv", guest.uuid]);
		let text = "";
		for (const output of [child.stdout, child.stderr])
			output?.on("data", (chunk: Buffer) => {
				text += chunk.toString("latin1");
			});
		const seen = (what: string): Promise<true> =>
			eventually(`${what} on the console`, async () => (text.includes(what) ? true : undefined), 90_000);
		child.stdin?.write("echo before-$((6 * 7))\n");
		await seen("before-42");
		child.stdin?.write("reboot -f\n");
		await seen("its guest has rebooted");
		await seen("PV-UP");
		child.stdin?.write("echo after-$((6 * 7))\n");
		await seen("after-42");
		child.kill();
	}, 240_000);
});

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Every byte value: kernels with SysRq take 0x0f on hvc for its key (hvc_console.c), the stub domain's has none. */
function pseudoRandom(length: number): Buffer {
	const blocks: Buffer[] = [];
	for (let index = 0; index * 32 < length; index++) blocks.push(createHash("sha256").update(`block ${index}`).digest());
	return Buffer.concat(blocks).subarray(0, length);
}
