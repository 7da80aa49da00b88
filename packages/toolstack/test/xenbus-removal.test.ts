import { CancelledError } from "@bulkhead/base";
import { describe, expect, onTestFinished, test } from "vitest";
import { removeXenbusDevice } from "../src/devices/xenbus-removal.ts";
import { DEVICE, GUEST, NEIGHBOUR, XenbusWorld } from "./xenbus-world.ts";

const SOON = { closeTimeoutMs: 60, forcedTimeoutMs: 60, driverTimeoutMs: 100 } as const;
/** All deadlines together, and something for a busy machine. */
const AT_MOST_MS = 2000;

/** A signal that aborts at the end of the test, for what runs beside it. */
function untilEnd(): AbortSignal {
	const stop = new AbortController();
	onTestFinished(() => stop.abort());
	return stop.signal;
}

async function timed<T>(work: Promise<T>): Promise<T> {
	const since = performance.now();
	const result = await work;
	expect(performance.now() - since).toBeLessThan(AT_MOST_MS);
	return result;
}

/** So many requests on a hostile guest's own connection are answered: as many of those that it makes meanwhile are, too. */
async function hasBegun({ guest }: XenbusWorld): Promise<void> {
	for (let request = 0; request < 20; request++) await guest.find("name").catch(() => {}); // EACCES is an answer
}

/** Frontends that do what they can to be in the way. */
const HOSTILE: Record<string, (world: XenbusWorld, signal: AbortSignal) => Promise<void>> = {
	"never answers": async () => {},
	"writes garbage states": async ({ guest, paths }, signal) => {
		const garbage = ["", "-1", "99", "6\0", "closed", "\u{1f4a5}".repeat(100), "4".repeat(1000), "7"];
		for (let at = 0; !signal.aborted; at++)
			await guest.write(`${paths.frontend}/state`, garbage[at % garbage.length] ?? "").catch(() => {});
	},
	"points its backend elsewhere": async ({ guest, paths }) => {
		await guest.write(`${paths.frontend}/backend`, "/local/domain/6/device/vbd/51712");
		await guest.write(`${paths.frontend}/backend-id`, "6");
		await guest.write(`${paths.frontend}/state`, "1");
	},
	"points its backend at the root": async ({ guest, paths }) => {
		await guest.write(`${paths.frontend}/backend`, "/local/domain/0");
	},
	"has removed its nodes": async ({ guest, paths }) => guest.remove(paths.frontend),
	"hides its nodes from everybody": async ({ guest, paths }) =>
		guest.setPermissions(paths.frontend, [{ domid: GUEST, access: "none" }]),
	"makes hundreds of nodes": async ({ guest, paths }) => {
		for (let at = 0; at < 300; at++) await guest.write(`${paths.frontend}/deep/${at}/er`, "x");
	},
	"changes its nodes without a pause": async ({ guest, paths }, signal) => {
		while (!signal.aborted) await guest.write(`${paths.frontend}/noise`, `${Math.random()}`).catch(() => {});
	},
	"makes and removes its errors without a pause": async ({ guest, paths }, signal) => {
		while (!signal.aborted) {
			await guest.write(`${paths.frontendError}/error`, "no".repeat(500)).catch(() => {});
			await guest.remove(paths.frontendError).catch(() => {});
		}
	},
};

describe("taking a device away", () => {
	test("is done when the frontend closes, and nobody is forced", async () => {
		const world = new XenbusWorld();
		const others = world.others;
		const signal = untilEnd();
		void world.runBackend(signal);
		void world.runFrontend(signal);
		const removal = await removeXenbusDevice(world.dom0, DEVICE, { mode: "auto", closeTimeoutMs: 5000 });
		expect(removal).toEqual({ forced: false, complaints: [] });
		expect(world.server.host.findList(`/local/domain/${GUEST}/device`)).toEqual([]);
		expect(world.server.host.findList("/local/domain/0/backend/vbd")).toEqual(["6"]);
		expect(world.others).toEqual(others);
	});

	test.each(Object.keys(HOSTILE))("keeps its deadlines when the frontend %s", async (kind) => {
		const world = new XenbusWorld();
		const others = world.others;
		const signal = untilEnd();
		void world.runBackend(signal);
		const running = HOSTILE[kind]?.(world, signal);
		running?.catch(() => {});
		await Promise.race([running, hasBegun(world)]);
		await timed(removeXenbusDevice(world.dom0, DEVICE, { mode: "auto", ...SOON }));
		expect(world.server.host.find(world.paths.frontend)).toBeUndefined();
		expect(world.server.host.find(world.paths.backend)).toBeUndefined();
		expect(world.others).toEqual(others);
	});

	test.each(Object.keys(HOSTILE))("does not ask a frontend that %s when it is forced", async (kind) => {
		const world = new XenbusWorld();
		const others = world.others;
		const signal = untilEnd();
		void world.runBackend(signal);
		HOSTILE[kind]?.(world, signal).catch(() => {});
		const removal = await timed(removeXenbusDevice(world.dom0, DEVICE, { mode: "force", ...SOON }));
		expect(removal.forced).toBe(true);
		expect(world.server.host.find(world.paths.backend)).toBeUndefined();
		expect(world.others).toEqual(others);
	});

	test.each(["auto", "force"] as const)("%s: has memory given back before a frontend is cut off", async (mode) => {
		const world = new XenbusWorld();
		void world.runBackend(untilEnd());
		const found: unknown[] = [];
		const beforeForce = async (): Promise<void> => {
			found.push([world.server.host.find(world.paths.frontend) !== undefined, world.state()]);
		};
		await removeXenbusDevice(world.dom0, DEVICE, { mode, ...SOON, beforeForce });
		expect(found).toEqual([[true, "5"]]);
	});

	test("leaves memory to the backend when the frontend closes by itself", async () => {
		const world = new XenbusWorld();
		const signal = untilEnd();
		void world.runBackend(signal);
		void world.runFrontend(signal);
		const beforeForce = (): Promise<void> => Promise.reject(new Error("nobody was forced"));
		expect(await removeXenbusDevice(world.dom0, DEVICE, { mode: "auto", closeTimeoutMs: 5000, beforeForce })).toEqual({
			forced: false,
			complaints: [],
		});
	});

	test("tells of a backend that does not close, and removes it all the same", async () => {
		const world = new XenbusWorld();
		const { forced, complaints } = await timed(removeXenbusDevice(world.dom0, DEVICE, { mode: "auto", ...SOON }));
		expect(forced).toBe(true);
		expect(complaints).toEqual([
			"The frontend of vbd 51712 of domain 5 did not close within 60 ms",
			"The backend of vbd 51712 of domain 5 did not close within 60 ms",
		]);
		expect(world.server.host.find(world.paths.backend)).toBeUndefined();
	});

	test("tells what the drivers complained of, bounded and printable, and removes it", async () => {
		const world = new XenbusWorld();
		const { host } = world.server;
		host.write(`${world.paths.backendError}/error`, "2 reading ring-ref");
		await world.guest.write(`${world.paths.frontendError}/error`, `\u001b[2J${"A".repeat(1500)}`);
		void world.runBackend(untilEnd());
		const { complaints } = await removeXenbusDevice(world.dom0, DEVICE, { mode: "force", ...SOON });
		expect(complaints[0]).toBe("backend: 2 reading ring-ref");
		expect(complaints[1]).toMatch(/^frontend: \\u\{1b\}\[2JA{196}…$/);
		expect(host.find(world.paths.backendError)).toBeUndefined();
		expect(host.find("/local/domain/0/error")).toBeUndefined();
		expect(host.find(world.paths.frontendError)).toBeUndefined();
	});

	test("of which nothing is there is success, twice", async () => {
		const world = new XenbusWorld();
		world.server.host.remove(world.paths.backend);
		world.server.host.remove(world.paths.frontend);
		for (const mode of ["auto", "force"] as const)
			expect((await timed(removeXenbusDevice(world.dom0, DEVICE, { mode, ...SOON }))).complaints).toEqual([]);
	});

	test("ends at once when it is cancelled", async () => {
		const world = new XenbusWorld();
		const stop = new AbortController();
		const removal = removeXenbusDevice(world.dom0, DEVICE, { mode: "auto", signal: stop.signal });
		setTimeout(() => stop.abort(new Error("enough")), 20);
		await expect(timed(removal)).rejects.toThrow(CancelledError);
		expect(world.state()).toBe("5");
	});

	test("leaves the backend of a driver domain to its owner's nodes only", async () => {
		const world = new XenbusWorld();
		const device = { ...DEVICE, backendDomid: NEIGHBOUR };
		const backend = "/local/domain/6/backend/vbd/5/51712";
		world.server.host.write(`${backend}/state`, "4");
		await removeXenbusDevice(world.dom0, device, { mode: "force", ...SOON });
		expect(world.server.host.find("/local/domain/6/backend")).toBeUndefined();
		expect(world.server.host.find("/local/domain/6/device/vbd/51712/state")).toBe("4");
		expect(world.server.host.find("/local/domain/6/error")).toBe("");
	});
});
