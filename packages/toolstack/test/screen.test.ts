import { DOM0, domId, randomUuid } from "@bulkhead/base";
import { XenstoreClient } from "@bulkhead/xenstore";
import { XenstoreServer } from "@bulkhead/xenstore/server";
import type { VncConfig } from "@bulkhead/xlcfg";
import { describe, expect, it, onTestFinished } from "vitest";
import { stepsOf } from "../src/executor.ts";
import { planCreate } from "../src/plan/create.ts";
import { planDestroy, planStrip } from "../src/plan/destroy.ts";
import { findScreenVchans } from "../src/screen/find-screen-vchans.ts";
import { checkListener, listenAddress, listenerWarning, listenPorts } from "../src/screen/screen-policy.ts";
import { facts, hvmConfig } from "./fixtures.ts";

const vnc = (values: Partial<VncConfig> = {}): VncConfig => ({
	listen: "127.0.0.1",
	display: 0,
	findUnused: false,
	...values,
});
const CLOSED = { allowPlain: false };
const TLS = { allowPlain: false, tls: { cert: "/c", key: "/k" } };

describe("where viewers come by TCP", () => {
	it.each([
		["", "127.0.0.1"],
		["localhost", "127.0.0.1"],
		["[::1]", "::1"],
		["0.0.0.0", "0.0.0.0"],
	])("takes %j for %s", (listen, address) => {
		expect(listenAddress(vnc({ listen }))).toBe(address);
	});

	it.each(["gateway", "unix", "127.1"])("takes no name: %s", (listen) => {
		expect(() => listenAddress(vnc({ listen }))).toThrow(expect.objectContaining({ code: "screen-refused" }));
	});

	it("tries the display alone, or the ones after it, to the last port", () => {
		expect(listenPorts(vnc({ display: 7 }))).toEqual([5907]);
		expect(listenPorts(vnc({ findUnused: true }))).toHaveLength(100);
		expect(listenPorts(vnc({ display: 59_630, findUnused: true }))).toEqual([
			65_530, 65_531, 65_532, 65_533, 65_534, 65_535,
		]);
	});

	it.each(["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1", "fe80::1"])("refuses %s to anybody", (listen) => {
		const check =
			(policy: Parameters<typeof checkListener>[1], values: Partial<VncConfig> = {}) =>
			(): void =>
				checkListener(vnc({ listen, ...values }), policy);
		expect(check(CLOSED)).toThrow(expect.objectContaining({ code: "screen-refused" }));
		expect(check(CLOSED, { password: "secret" })).not.toThrow();
		expect(check(TLS)).not.toThrow();
		expect(check({ allowPlain: true })).not.toThrow();
		expect(listenerWarning(vnc({ listen, password: "x" }), CLOSED)).toContain("without TLS");
		expect(listenerWarning(vnc({ listen }), { allowPlain: true })).toContain("anybody");
		expect(listenerWarning(vnc({ listen, password: "x" }), TLS)).toBeUndefined();
	});

	it.each(["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])("lets %s be without a word", (listen) => {
		expect(() => checkListener(vnc({ listen }), CLOSED)).not.toThrow();
		expect(listenerWarning(vnc({ listen }), CLOSED)).toBeUndefined();
	});
});

describe("a guest's plan", () => {
	const names = (values: Parameters<typeof hvmConfig>[0]): string[] =>
		stepsOf(planCreate(hvmConfig(values), facts, { paused: false })).map(({ name }) => name);
	const card = { vga: "stdvga", videoMemoryKiB: 16_384 } as const;

	it("serves the screen once QMP is there, and listens early where vnc = 1", () => {
		expect(names(card)).not.toContain("open-screen-listener");
		const steps = names({ ...card, vnc: vnc() });
		expect(steps.indexOf("connect-screen")).toBe(steps.indexOf("connect-qmp") + 1);
		expect(steps.indexOf("open-screen-listener")).toBeLessThan(steps.indexOf("start-stub"));
		expect(steps.at(-1)).toBe("start-guest");
	});

	it("has no screen without a card, in a MiniOS stub domain, or in domain 0", () => {
		const deviceModel = { restrict: false, args: [], argsHvm: [], argsPv: [] };
		expect(names({})).not.toContain("connect-screen");
		expect(names({ ...card, nographic: true })).not.toContain("connect-screen");
		expect(names({ ...card, deviceModel: { ...deviceModel, place: "minios" } })).not.toContain("connect-screen");
	});

	it("closes its port with the guest, not for a restart", () => {
		const runtime = { guest: { uuid: randomUuid() }, stub: { uuid: randomUuid() }, screen: { viewers: 4, port: 5900 } };
		const has = (plan: Parameters<typeof stepsOf>[0]): boolean =>
			stepsOf(plan).some(({ name }) => name === "close-screen");
		expect(has(planDestroy(runtime, { purge: true }))).toBe(true);
		expect(has(planDestroy(runtime, { purge: false }))).toBe(false);
		expect(has(planStrip(runtime))).toBe(true);
		expect(has(planDestroy({ guest: runtime.guest }, { purge: true }))).toBe(false);
	});
});

describe("the vchans that a stub domain offers", () => {
	const STUB = domId(8);
	const place = { guest: { domid: domId(7), uuid: randomUuid() }, stub: STUB };
	const root = "/local/domain/8/device-model/7/screen-vchan";

	function open(nodes: Record<string, string>, owner = STUB): XenstoreClient {
		const server = new XenstoreServer();
		for (const [path, value] of Object.entries(nodes))
			server.host.write(`${root}/${path}`, value, [
				{ domid: owner, access: "none" },
				{ domid: DOM0, access: "read" },
			]);
		const store = XenstoreClient.over(server.connectClient());
		onTestFinished(async () => {
			store.close();
			await server.close();
		});
		return store;
	}

	it("are found in their order, none where the image has none, and as many as the relay takes", async () => {
		expect(await findScreenVchans(open({}), place)).toEqual([]);
		const two = { "1/ring-ref": "20", "1/event-channel": "5", "0/ring-ref": "10", "0/event-channel": "4" };
		expect(
			await findScreenVchans(open({ ...two, "2/ring-ref": "30", "3/ring-ref": "0", "3/event-channel": "9" }), place),
		).toEqual([
			{ ringRef: 10, remotePort: 4 },
			{ ringRef: 20, remotePort: 5 },
		]);
		const many = Object.fromEntries(
			Array.from({ length: 20 }, (_, slot) => [
				[`${slot}/ring-ref`, `${100 + slot}`],
				[`${slot}/event-channel`, `${10 + slot}`],
			]).flat(),
		) as Record<string, string>;
		expect(await findScreenVchans(open(many), place)).toHaveLength(8);
	});

	it.each<[string, Record<string, string>]>([
		["a ring twice", { "0/ring-ref": "10", "0/event-channel": "4", "1/ring-ref": "10", "1/event-channel": "5" }],
		["a port twice", { "0/ring-ref": "10", "0/event-channel": "4", "1/ring-ref": "11", "1/event-channel": "4" }],
		["a reference that is none", { "0/ring-ref": "-1", "0/event-channel": "4" }],
		["a port beyond all", { "0/ring-ref": "1", "0/event-channel": "4294967296" }],
	])("are none of them taken with %s", async (_, nodes) => {
		await expect(findScreenVchans(open(nodes), place)).rejects.toThrow();
	});

	it("must be the stub domain's own", async () => {
		const store = open({ "0/ring-ref": "10", "0/event-channel": "4" }, domId(7));
		await expect(findScreenVchans(store, place)).rejects.toMatchObject({ code: "protocol-error" });
	});
});
