import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { SerialSession } from "../../src/serial-session.ts";
import { killAndAwaitRestart } from "./support/daemons.ts";
import { ok, useLab } from "./support/dom0.ts";
import { createGuest, destroyAll, PV } from "./support/guests.ts";

const ONE_MIB = 1024 * 1024;

describe("a console", () => {
	const the = useLab();
	afterEach(() => destroyAll(the.lab));

	it("carries 1 MiB each way with equal SHA-256", async () => {
		const guest = await createGuest(the.lab, PV);
		const serial = await SerialSession.open(the.lab, guest, "pv");
		serial.write("\n");
		await serial.expect(/# /, 60_000);

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

	it("loses no byte when the relay is killed while the guest writes", async () => {
		const guest = await createGuest(the.lab, PV);
		const serial = await SerialSession.open(the.lab, guest, "pv");
		serial.write("\n");
		await serial.expect(/# /, 60_000);
		serial.write("i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i + 1)); done; echo all-$((3 * 3))\n");
		await serial.expect(/line-1000\s/, 60_000);
		await killAndAwaitRestart(the.lab, "bulkhead-relay");
		serial.close();

		const text = await ok(the.lab, ["sh", "-c", WHOLE_OUTPUT, "whole-output", guest.uuid], { timeoutMs: 120_000 });
		const numbers = [...text.matchAll(/line-(\d+)\r?\n/g)].map(([, number]) => Number(number));
		const first = numbers.indexOf(0);
		expect(numbers.slice(first)).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
	}, 400_000);
});

/** Reads a console from the start until the guest has said that it is done. */
const WHOLE_OUTPUT = `timeout 100 bulkhead console -t pv --from start --until all-9 "$1"`;

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Every byte value: kernels with SysRq take 0x0f on hvc for its key (hvc_console.c), the stub domain's has none. */
function pseudoRandom(length: number): Buffer {
	const blocks: Buffer[] = [];
	for (let index = 0; index * 32 < length; index++) blocks.push(createHash("sha256").update(`block ${index}`).digest());
	return Buffer.concat(blocks).subarray(0, length);
}
