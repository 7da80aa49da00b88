import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseMemorySize } from "../src/commands/memory.ts";
import { readPoolSettings } from "../src/commands/pools.ts";
import { cpuRanges } from "../src/output/cpu-tables.ts";
import { CapturedIo, run } from "./captured-io.ts";
import { FakeDaemon } from "./fake-daemon.ts";

const VCPU = { vcpu: 0, online: true, running: false, blocked: true, cpu: 1, cpuTimeNs: 12_300_000_000 };
const LIST = {
	name: "web",
	domid: 5,
	hostCpus: 4,
	vcpus: [
		{ ...VCPU, hard: [0, 1, 3], soft: [0, 1, 2, 3] },
		{ ...VCPU, vcpu: 1, online: false, hard: [2], soft: [0, 1, 2, 3] },
	],
};

let daemon: FakeDaemon;
let io: CapturedIo;
const bulkhead = (...args: string[]): ReturnType<typeof run> => {
	io = new CapturedIo();
	return run(io, daemon.socketPath, ...args);
};

beforeEach(async () => {
	daemon = await FakeDaemon.open();
});
afterEach(() => daemon[Symbol.asyncDispose]());

describe("bulkhead", () => {
	it("vcpu-list has xl's columns", async () => {
		daemon.json("GET /guests/web/vcpus", LIST);
		const lines = (await bulkhead("vcpu-list", "web")).out.split("\n");
		expect(lines[0]).toBe(`Name${" ".repeat(32)}ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)`);
		expect(lines[1]).toBe(`web${" ".repeat(34)}5     0     1   -b-      12.3 0-1,3 / all`);
		expect(lines[2]).toBe(`web${" ".repeat(34)}5     1     -   --p      12.3 2 / all`);
	});

	it("vcpu-set and vcpu-pin ask for what was typed", async () => {
		daemon.json("POST /guests/web/vcpus", {});
		daemon.json("POST /guests/web/vcpus/pin", {});
		await bulkhead("vcpu-set", "web", "2");
		await bulkhead("vcpu-pin", "web", "all", "-", "node:1");
		await bulkhead("vcpu-pin", "web", "1", "0-2", "--ignore-global-affinity-masks");
		expect(daemon.seen.map(({ body }) => body)).toEqual([
			{ count: 2 },
			{ vcpu: "all", soft: "node:1" },
			{ vcpu: 1, hard: "0-2", ignoreMasks: true },
		]);
	});

	it("mem-set and mem-max take sizes with units", async () => {
		daemon.json("POST /guests/web/memory", {});
		await bulkhead("mem-set", "web", "512");
		await bulkhead("mem-max", "web", "1g");
		expect(daemon.seen.map(({ body }) => body)).toEqual([{ targetKiB: 524_288 }, { maxKiB: 1_048_576 }]);
	});

	it("sched-credit2 shows a guest, or sets its weight", async () => {
		const shown = { name: "web", domid: 5, pool: "Pool-0", scheduler: "credit2", weight: 256, cap: 0 };
		daemon.json("GET /guests/web/scheduling", shown);
		daemon.json("POST /guests/web/scheduling", { ...shown, weight: 512 });
		expect((await bulkhead("sched-credit2", "-d", "web")).out).toBe(
			`Cpupool Pool-0:\nName${" ".repeat(32)}ID Weight  Cap\nweb${" ".repeat(34)}5    256    0\n`,
		);
		expect(JSON.parse((await bulkhead("--json", "sched-credit2", "-d", "web", "-w", "512")).out)).toEqual([
			{ ...shown, weight: 512 },
		]);
		expect(daemon.seen.at(-1)?.body).toEqual({ scheduler: "credit2", weight: 512 });
	});

	it("cpupool-list has xl's columns; cpupool-create takes xl's settings", async () => {
		daemon.json("GET /host/pools", [{ id: 0, name: "Pool-0", scheduler: "credit2", domains: 3, cpus: [0, 1] }]);
		daemon.json("POST /host/pools", { id: 1, name: "lab", scheduler: "credit", domains: 0, cpus: [3] });
		expect((await bulkhead("cpupool-list")).out).toBe(
			"Name                CPUs   Sched     Active   Domain count\n" +
				"Pool-0                2   credit2       y           3\n",
		);
		expect((await bulkhead("cpupool-create", 'name="lab"', 'sched="credit"', 'cpus=["3"]')).out).toBe(
			"Using cpupool lab, number 1\n",
		);
		expect(daemon.seen.at(-1)?.body).toEqual({ name: "lab", scheduler: "credit", cpus: "3" });
	});

	it("trigger and button-press know their words", async () => {
		daemon.json("POST /guests/web/trigger", {});
		await bulkhead("trigger", "web", "nmi", "1");
		await bulkhead("button-press", "web", "power");
		expect(daemon.seen.map(({ body }) => body)).toEqual([{ trigger: "nmi", vcpu: 1 }, { trigger: "power" }]);
		expect((await bulkhead("trigger", "web", "bell")).err).toContain("bell");
		expect(daemon.seen).toHaveLength(2);
	});
});

describe("words of the command line", () => {
	it("sizes count MiB unless they say otherwise", () => {
		expect(["64", "64m", "64MB", "1g", "2048k", "1t"].map(parseMemorySize)).toEqual([
			65_536, 65_536, 65_536, 1_048_576, 2048, 1_073_741_824,
		]);
		expect(() => parseMemorySize("much")).toThrow("much");
	});

	it("settings of a pool need a name and a known scheduler", () => {
		expect(readPoolSettings(["name=lab"])).toEqual({ name: "lab", scheduler: "credit2" });
		expect(() => readPoolSettings(['sched="credit"'])).toThrow("name");
		expect(() => readPoolSettings(["name=lab", "sched=fair"])).toThrow("fair");
		expect(() => readPoolSettings(["colour=red"])).toThrow("colour");
	});

	it("processors are told as ranges", () => {
		expect(cpuRanges([0, 1, 2, 5], 8)).toBe("0-2,5");
		expect(cpuRanges([0, 1], 2)).toBe("all");
		expect(cpuRanges([3], 8)).toBe("3");
	});
});
