import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Daemon, killAndAwaitRestart } from "./support/daemons.ts";
import { bulkhead, eventually, ok, useLab } from "./support/dom0.ts";
import { destroyAll, findGuest, type GuestDocument } from "./support/guests.ts";
import { startTiny, talkToTiny } from "./support/tiny-guest.ts";

const CASES: { what: string; daemons: Daemon[] }[] = [
	{ what: "bulkheadd", daemons: ["bulkheadd"] },
	{ what: "the relay", daemons: ["bulkhead-relay"] },
	{ what: "both", daemons: ["bulkheadd", "bulkhead-relay"] },
];

describe("a daemon killed with a guest running", () => {
	const the = useLab();
	let guest: GuestDocument;

	beforeAll(async () => {
		guest = await startTiny(the.lab);
	});
	afterAll(() => destroyAll(the.lab));

	it.each(CASES)("comes back and finds its guest: $what", async ({ daemons }) => {
		const uptimeBefore = await cpuSeconds(the, guest.domid);
		await killAndAwaitRestart(the.lab, ...daemons);

		const found = await findGuest(the.lab, "tiny");
		expect(found).toMatchObject({ uuid: guest.uuid, domid: guest.domid, stub: { domid: guest.stub?.domid } });
		expect(await cpuSeconds(the, guest.domid)).toBeGreaterThanOrEqual(uptimeBefore);

		await eventually("QMP to answer again", async () => {
			const answer = await bulkhead<{ return: { status: string } }>(the.lab, "qmp", "tiny", "query-status").catch(
				() => undefined,
			);
			return answer?.return.status === "running" ? true : undefined;
		});
		const again = await eventually("the console to be served again", async () => {
			const document = await findGuest(the.lab, "tiny");
			return document?.consoles.find(({ label }) => label === "serial0")?.socketPath ? document : undefined;
		});
		await talkToTiny(the.lab, again);
	});
});

async function cpuSeconds({ lab }: ReturnType<typeof useLab>, domid: number): Promise<number> {
	const list = await ok(lab, ["xl", "list", `${domid}`]);
	return Number(/(\d+\.\d+)\s*$/.exec(list.trim())?.[1]);
}
