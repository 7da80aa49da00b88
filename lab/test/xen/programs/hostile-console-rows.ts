import assert from "node:assert/strict";
import { RELAY_PATHS, RelayClient, type RelayNotification } from "@bulkhead/api/relay";
import { delay, type Uuid, uuid } from "@bulkhead/base";
import { CONSOLE_PAGE as PAGE } from "@bulkhead/console";
import { ConsoleSession } from "@bulkhead/console/session";
import { type HostileGuest, withHostileGuests } from "./hostile-guest.ts";
import { measureRelay } from "./relay-figures.ts";
import type { Row } from "./rows.ts";

const MEASURE_MS = 3000;
const ANSWER_MS = 20_000;
const ROUND_TRIPS = 10;
const JOURNAL_BYTES = 2 * 1024 * 1024 + PAGE.outputBytes;
const MORE_MEMORY_MIB = 48;

/** Consoles whose guests do their worst, on real rings. `neighbour` is a guest with a shell on its PV console. */
export function hostileConsoleRows(neighbour: string): Row[] {
	const withRelay = async <T>(use: (relay: RelayClient, ended: RelayNotification[]) => Promise<T>): Promise<T> => {
		const ended: RelayNotification[] = [];
		const relay = await RelayClient.connect({
			path: RELAY_PATHS.controlSocket,
			timeoutMs: 10_000,
			onNotification: (notification) => ended.push(notification),
		});
		try {
			return await use(relay, ended);
		} finally {
			relay.close();
		}
	};
	return [
		{
			name: "indices out of range, or that run backwards, end that console and no other",
			run: () =>
				withRelay((relay, ended) =>
					withHostileGuests(relay, 2, async ([far, back]) => {
						assert.ok(far && back);
						far.set("outputProduced", 0xffff_ffff);
						back.set("outputProduced", 1000);
						await until("1000 bytes are taken", () => back.get("outputConsumed") === 1000);
						back.set("outputProduced", 900);
						await until("two are given up", async () => !(await far.served()) && !(await back.served()));
						const names = ended.map(({ params }) => params.guest);
						assert.deepEqual(new Set(names), new Set([far.uuid, back.uuid]));
						assert.ok((await relay.request("list", { guest: uuid(neighbour) }, { timeoutMs: 10_000 })).consoles[0]);
						const reattached = far.attach();
						await assert.rejects(reattached, { code: "console-ring-broken" });
						return undefined;
					}),
				),
		},
		{
			name: "a page that changes while it is read fills a journal to its limit, and no memory",
			run: () =>
				withRelay((relay) =>
					withHostileGuests(relay, 2, async (guests) => {
						const before = await measureRelay(relay, 500);
						const stop = new AbortController();
						const racing = guests.map((guest) => race(guest, stop.signal));
						const during = await measureRelay(relay, MEASURE_MS);
						stop.abort();
						await Promise.all(racing);
						const taken = await Promise.all(guests.map(async (guest) => (await guest.served())?.outputBytes ?? 0));
						for (const bytes of taken) assert.ok(bytes > PAGE.outputBytes, `only ${bytes} bytes were taken`);
						for (const { uuid: guest } of guests) {
							const kept = await relay.request(
								"tail",
								{ guest, label: "pv", maxBytes: 256 * 1024 },
								{ timeoutMs: 20_000 },
							);
							assert.ok(Buffer.from(kept.base64, "base64").length <= JOURNAL_BYTES);
						}
						assert.ok(during.rssMiB <= before.rssMiB + MORE_MEMORY_MIB, JSON.stringify({ before, during }));
						return { taken, before, during };
					}),
				),
		},
		{
			name: "events without end from two guests, as fast as they can, leave the loop and a neighbour's console alone",
			run: () =>
				withRelay(async (relay) => {
					const quiet = { ...(await measureRelay(relay, MEASURE_MS)), echoMs: await echoes(uuid(neighbour)) };
					const flooded = await withHostileGuests(relay, 2, async () => {
						const echoing = echoes(uuid(neighbour));
						const figures = await measureRelay(relay, MEASURE_MS);
						return { ...figures, echoMs: await echoing };
					});
					assert.ok(flooded.rssMiB <= quiet.rssMiB + MORE_MEMORY_MIB, JSON.stringify({ quiet, flooded }));
					return { quiet, flooded };
				}),
		},
		{
			name: "a domain that is destroyed with its ring mapped stays until it is let go of, and harms nothing",
			run: () =>
				withRelay((relay) =>
					withHostileGuests(relay, 1, async ([guest]) => {
						assert.ok(guest);
						guest.set("outputProduced", 100);
						assert.deepEqual(await guest.destroy(), { isDying: true });
						guest.set("outputProduced", 200);
						return { echoMs: await echoes(uuid(neighbour)) };
					}),
				),
		},
	];
}

/** Announces as much as is allowed, again and again, and changes the bytes behind the reader's back. */
async function race(guest: HostileGuest, signal: AbortSignal): Promise<void> {
	let produced = guest.get("outputProduced");
	for (let round = 0; !signal.aborted; round++) {
		guest.scribble(round & 0xff);
		const room = PAGE.outputBytes - ((produced - guest.get("outputConsumed")) >>> 0);
		produced = (produced + Math.min(room, 1 + ((round * 977) % PAGE.outputBytes))) >>> 0;
		guest.set("outputProduced", produced);
		await new Promise((resolve) => setImmediate(resolve));
	}
}

/** Median and most of the time from a typed line to its answer, in milliseconds. */
async function echoes(guest: Uuid): Promise<{ median: number; most: number }> {
	const session = await ConsoleSession.open({ socketPath: RELAY_PATHS.consoleSocket, guest, console: "pv" });
	let text = "";
	session.on("data", (chunk) => {
		text += (chunk as Buffer).toString("latin1");
	});
	const times: number[] = [];
	try {
		for (let trip = 0; trip < ROUND_TRIPS; trip++) {
			const started = performance.now();
			session.write(`echo trip-$((${trip} + 1000))\n`);
			await until("an echo", () => text.includes(`trip-${trip + 1000}\r`));
			times.push(performance.now() - started);
		}
	} finally {
		session.destroy();
	}
	const sorted = times.toSorted((one, other) => one - other).map(Math.round);
	return { median: sorted[sorted.length >> 1] ?? 0, most: sorted.at(-1) ?? 0 };
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
	const deadline = performance.now() + ANSWER_MS;
	while (!(await holds())) {
		if (performance.now() > deadline) throw new Error(`Waited in vain until ${what}`);
		await delay(2);
	}
}
