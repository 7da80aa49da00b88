import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileProbe, type Probe } from "./compile-probe.ts";

const WRAPPED = ["open", "ioctl", "mmap", "write"].map((name) => `-Wl,--wrap=${name}`);

describe("init serves QMP over a vchan", () => {
	let probe: Probe;
	beforeAll(async () => {
		probe = await compileProbe("qmp-server-probe", ["qmp-server.c", "session.c", "vchan-server.c"], WRAPPED);
	}, 60_000);
	afterAll(() => probe[Symbol.asyncDispose]());

	test("one fresh monitor session per client, whatever clients do", async () => {
		expect(await probe.run()).toEqual([
			"orders 10 11 live 2 1 notify 1",
			"ring-ref 99 event-channel 17",
			"sessions before a client 0",
			"first: greeting, events 1",
			"qemu got command",
			"left: <closed>",
			"second: sessions 2, leftover []",
			"fast: sessions 3, old got last words then <closed>",
			"new got fresh",
			"streamed 60000 wrong 0",
			"impossible index: <nothing>",
			"afterwards: clean",
			"closed by qemu: srv_live 0",
			"again: srv_live 1 sessions 5",
			"end: srv_live 0 ring-ref -",
		]);
	});
});
