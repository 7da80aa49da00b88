import { describe, expect, it } from "vitest";
import { resolveCpuSet } from "../src/domain/cpu-set.ts";
import { cpuidLeaves } from "../src/domain/cpuid-policy.ts";
import { parseMemoryRange, parsePortRange } from "../src/domain/hardware-ranges.ts";
import { mergeScheduling } from "../src/domain/place-domain.ts";
import { balloonTargetKiB } from "../src/domain/skeleton.ts";
import { viridianMask } from "../src/domain/viridian.ts";
import { createSettings, hardwareSettings, placementSettings, prepareSettings } from "../src/plan/domain-settings.ts";
import { hvmConfig, pvConfig } from "./fixtures.ts";

const places = [0, 1, 2, 3].map((cpu) => ({ cpu, core: cpu, socket: 0, node: cpu >> 1 }));

describe("resolveCpuSet", () => {
	it.each([
		["0", [0]],
		["0-2", [0, 1, 2]],
		["all", [0, 1, 2, 3]],
		["0-3,^2", [0, 1, 3]],
		["all, ^1-2", [0, 3]],
		["node:1", [2, 3]],
		["nodes:0-1,^0", [1, 2, 3]],
		["all,^node:0", [2, 3]],
	])("%s", (set, cpus) => {
		expect(resolveCpuSet(set, places)).toEqual(cpus);
	});

	it.each(["", "9", "a", "^0", "1-", "0,,1", "-1"])("refuses %j", (set) => {
		expect(() => resolveCpuSet(set, places)).toThrow(expect.objectContaining({ fields: { set } }));
	});
});

describe("viridianMask", () => {
	it("is absent without names, libxl's five for the defaults, and everything for all", () => {
		expect(viridianMask([])).toBeUndefined();
		expect(viridianMask(["defaults"])).toBe(0b0110_0101);
		expect(viridianMask(["all"])).toBe(0b1_1111_1111_1101);
	});

	it("says that frequencies are missing when they were taken away", () => {
		expect(viridianMask(["defaults", "!freq"])).toBe(0b0110_0111);
		expect(viridianMask(["base"])).toBe(0b11);
	});

	it("refuses unknown names and whatever lacks its base", () => {
		expect(() => viridianMask(["hyperdrive"])).toThrow("hyperdrive");
		expect(() => viridianMask(["stimer"])).toThrow("base");
	});
});

describe("cpuidLeaves", () => {
	it("puts named features at their bits, the highest first", () => {
		expect(cpuidLeaves(["host,tm=0,hypervisor=1"])).toEqual([
			{ leaf: 1, edx: `xx0${"x".repeat(29)}`, ecx: `1${"x".repeat(31)}` },
		]);
		expect(cpuidLeaves(["host,avx2=k"])).toEqual([{ leaf: 7, subleaf: 0, ebx: `${"x".repeat(26)}k${"x".repeat(5)}` }]);
	});

	it("takes whole registers, and the last word on a bit", () => {
		const bits = `0b${"x".repeat(30)}`;
		expect(() => cpuidLeaves([`1:ecx=${bits}`])).toThrow("32 letters");
		expect(cpuidLeaves([`0x1:ecx=${"1".repeat(32)},edx=${"k".repeat(32)}`, "host,sse3=0"])).toEqual([
			{ leaf: 1, ecx: `${"1".repeat(31)}0`, edx: "k".repeat(32) },
		]);
		expect(cpuidLeaves([`7,0:ebx=${"s".repeat(32)}`])).toEqual([{ leaf: 7, subleaf: 0, ebx: "s".repeat(32) }]);
	});

	it.each(["host,nonsense=0", "host,tm=2", "host,tm", "tm=0", "host,_=0", "", "1:eix=0"])("refuses %j", (setting) => {
		expect(() => cpuidLeaves([setting])).toThrow(expect.objectContaining({ fields: { setting } }));
	});
});

describe("hardware of the host", () => {
	it("reads ports and frames in hexadecimal", () => {
		expect(parsePortRange("3f8-3ff")).toEqual({ first: 0x3f8, count: 8 });
		expect(parsePortRange("70")).toEqual({ first: 0x70, count: 1 });
		expect(parseMemoryRange("fed40,5")).toEqual({ first: 0xfed40, count: 5, guestFrame: 0xfed40 });
		expect(parseMemoryRange("a0,20@b0")).toEqual({ first: 0xa0, count: 0x20, guestFrame: 0xb0 });
	});

	it.each(["3ff-3f8", "12345", "", "x"])("refuses ports %j", (text) => {
		expect(() => parsePortRange(text)).toThrow("ioports");
	});

	it.each(["fed40", "fed40,0", "fed40,1@", ""])("refuses frames %j", (text) => {
		expect(() => parseMemoryRange(text)).toThrow("iomem");
	});

	it("is a step of its own only for a guest that has some", () => {
		expect(hardwareSettings(pvConfig())).toBeUndefined();
		expect(hardwareSettings(pvConfig({ irqs: [9], ioPorts: ["70-71"] }))).toEqual({
			ioPorts: [{ first: 0x70, count: 2 }],
			irqs: [9],
			memory: [],
		});
	});
});

describe("createSettings and prepareSettings", () => {
	it("leave what the config does not say to Xen", () => {
		expect(createSettings(hvmConfig())).toEqual({ type: "hvm", maxVcpus: 1 });
		expect(createSettings(pvConfig())).toEqual({ type: "pv", maxVcpus: 1 });
		expect(prepareSettings(pvConfig())).toMatchObject({ pagingBytes: 0, hvmParams: {}, cpuPolicy: {} });
	});

	it("carry the config's flags, limits and names", () => {
		const config = hvmConfig({
			maxVcpus: 4,
			nestedHvm: true,
			msrRelaxed: true,
			oos: false,
			passthrough: "sync_pt",
			maxGrantVersion: 1,
			pool: "lab",
			securityLabel: "a:b:c",
		});
		expect(createSettings(config)).toEqual({
			type: "hvm",
			maxVcpus: 4,
			nestedVirt: true,
			msrRelaxed: true,
			oos: false,
			iommu: "separate",
			grantVersion: 1,
			pool: "lab",
			securityLabel: "a:b:c",
		});
	});

	it("count the paging pool by the most that the guest may become", () => {
		const config = hvmConfig({ maxVcpus: 4, maxMemoryKiB: 512 * 1024 });
		expect(prepareSettings(config).pagingBytes).toBe(4096 * (256 * 4 + 2 * 512));
		expect(prepareSettings(hvmConfig({ shadowMemoryKiB: 8192 })).pagingBytes).toBe(8192 * 1024);
	});

	it("give each type the parameters that it has", () => {
		expect(prepareSettings(hvmConfig({ hpet: false, viridian: ["base"] })).hvmParams).toEqual({
			hpetEnabled: 0,
			vptAlign: 1,
			timerMode: 1,
			viridian: 0b11,
		});
		expect(prepareSettings(pvConfig({ type: "pvh", timerMode: "one_missed_tick_pending" })).hvmParams).toEqual({
			timerMode: 3,
		});
	});

	it("make pae, nx and nomigrate parts of the CPU's policy", () => {
		expect(prepareSettings(hvmConfig({ pae: false, nx: false, nomigrate: true })).cpuPolicy).toEqual({
			pae: false,
			invariantTsc: true,
			leaves: [{ leaf: 0x8000_0001, edx: `${"x".repeat(11)}0${"x".repeat(20)}` }],
		});
	});
});

describe("placement", () => {
	it("is a step of its own only where something is asked for", () => {
		expect(placementSettings(hvmConfig(), [])).toBeUndefined();
		expect(placementSettings(hvmConfig(), ["1-3"])).toMatchObject({ cpuMasks: ["1-3"] });
		expect(placementSettings(hvmConfig({ cpus: ["1"], scheduling: { weight: 512 } }), [])).toEqual({
			cpus: ["1"],
			cpusSoft: [],
			cpuMasks: [],
			maxVcpus: 1,
			scheduling: { weight: 512 },
		});
	});

	it("keeps what is not named, and refuses what the scheduler does not have", () => {
		const credit2 = { scheduler: "credit2", weight: 256, cap: 0 } as const;
		expect(mergeScheduling(credit2, { weight: 512 })).toEqual({ ...credit2, weight: 512 });
		expect(() => mergeScheduling(credit2, { periodUs: 1000 })).toThrow("credit2");
		const rtds = { scheduler: "rtds", periodUs: 10_000, budgetUs: 4000 } as const;
		expect(mergeScheduling(rtds, { budgetUs: 5000 })).toEqual({ ...rtds, budgetUs: 5000 });
		expect(() => mergeScheduling(rtds, { cap: 10 })).toThrow("rtds");
	});
});

describe("balloonTargetKiB", () => {
	it("leaves video memory out, and asks a little back from a guest populated on demand", () => {
		const built = { type: "hvm", memoryKiB: 65_536, maxMemoryKiB: 65_536, videoMemoryKiB: 8192 } as const;
		expect(balloonTargetKiB(built)).toBe(57_344);
		expect(balloonTargetKiB({ ...built, maxMemoryKiB: 131_072 })).toBe(56_320);
		expect(balloonTargetKiB({ ...built, type: "pvh", maxMemoryKiB: 131_072, videoMemoryKiB: 0 })).toBe(65_536);
	});
});
