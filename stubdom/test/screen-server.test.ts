import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileProbe, type Probe } from "./compile-probe.ts";

const WRAPPED = ["open", "ioctl", "mmap", "write", "socket", "connect"].map((name) => `-Wl,--wrap=${name}`);
const SOURCES = ["screen-server.c", "session.c", "vchan-server.c", "dm-argv.c"];

describe("init serves QEMU's screen over vchans", () => {
	let probe: Probe;
	beforeAll(async () => {
		probe = await compileProbe("screen-server-probe", SOURCES, WRAPPED);
	}, 60_000);
	afterAll(() => probe[Symbol.asyncDispose]());

	test("one viewer for each slot, each with a connection of its own, and none without a screen", async () => {
		expect(await probe.run()).toEqual([
			"none: fine, 0 servers, published nothing",
			"unix:/run/bulkhead-screen.sockets: fine, 0 servers, published nothing",
			"unix:/etc/passwd: fine, 0 servers, published nothing",
			"servers 4",
			"slot 0: ring-ref 100 orders 11 16 grants 101 to 116 then 0",
			"slot 1: ring-ref 117 orders 11 16 grants 118 to 133 then 0",
			"slot 2: ring-ref 134 orders 11 16 grants 135 to 150 then 0",
			"slot 3: ring-ref 151 orders 11 16 grants 152 to 167 then 0",
			"port of slot 3: 20",
			"viewer 0 reads RFB one, viewer 2 reads RFB two",
			"qemu reads key and click",
			"streamed 300000 wrong 0",
			"left: qemu <closed>, cli_live 2, unread 0",
			"next: fresh, cli_live 3",
			"other slot: still",
			"closed by qemu: srv_live 0, then 1 cli_live 2",
			"nobody there: srv_live 0",
			"again: srv_live 1 connections 4",
			"impossible index: <nothing>",
			"end: <closed>, srv_live 0, ring-ref -",
		]);
	});
});
