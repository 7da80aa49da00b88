import { DOM0, domId, uuid } from "@bulkhead/base";
import { describe, expect, test, vi } from "vitest";
import type { ControlAddon, RawDomain } from "../src/native/addon-shapes.ts";
import { domainInfo, hostInfo, NativeDomains } from "../src/native/domains.ts";

const raw: RawDomain = {
	domid: 5,
	uuid: Uint8Array.from({ length: 16 }, (_, index) => index * 17),
	hvm: true,
	dying: false,
	shutdown: true,
	shutdownReason: 3,
	paused: false,
	blocked: true,
	running: false,
	totalPages: 256,
	maxPages: 512,
	cpuTimeNs: 1_000_000,
	onlineVcpus: 1,
	maxVcpuId: 0,
	cpupool: 2,
};

describe("domainInfo", () => {
	test("turns pages into KiB, bytes into a uuid, numbers into words", () => {
		expect(domainInfo(raw)).toEqual({
			domid: 5,
			uuid: "00112233-4455-6677-8899-aabbccddeeff",
			type: "hvm-or-pvh",
			dying: false,
			shutdown: true,
			shutdownReason: "crash",
			paused: false,
			blocked: true,
			running: false,
			totalKiB: 1024,
			maxKiB: 2048,
			cpuTimeNs: 1_000_000,
			onlineVcpus: 1,
			maxVcpuId: 0,
			cpupool: 2,
		});
		expect(domainInfo({ ...raw, hvm: false, shutdownReason: 255 })).toMatchObject({
			type: "pv",
			shutdownReason: "unknown",
		});
	});
});

describe("hostInfo", () => {
	test("joins the version and splits the capabilities", () => {
		const host = hostInfo({
			major: 4,
			minor: 17,
			extraVersion: ".7",
			capabilities: "xen-3.0-x86_64 hvm-3.0-x86_64 ",
			commandLine: " dom0_mem=3G",
			compiler: "gcc",
			totalPages: 1000,
			freePages: 10,
			nrCpus: 2,
			cpuKHz: 2_000_000,
			hvm: true,
			hap: false,
			iommu: false,
		});
		expect(host).toMatchObject({
			xenVersion: "4.17.7",
			capabilities: ["xen-3.0-x86_64", "hvm-3.0-x86_64"],
			commandLine: "dom0_mem=3G",
			totalKiB: 4000,
			freeKiB: 40,
		});
	});
});

describe("NativeDomains", () => {
	const fake = (calls: Partial<ControlAddon>): NativeDomains => new NativeDomains(calls as ControlAddon);

	test("create fills in the defaults", async () => {
		const create = vi.fn(async () => 9);
		const id = uuid("00112233-4455-6677-8899-aabbccddeeff");
		expect(await fake({ create }).create({ uuid: id, type: "hvm", maxVcpus: 2 })).toBe(9);
		expect(create).toHaveBeenCalledWith({
			uuid: Uint8Array.from({ length: 16 }, (_, index) => index * 17),
			type: "hvm",
			maxVcpus: 2,
			maxEvtchnPort: 1023,
			ssidref: 0,
			grantVersion: 0,
			cpupool: 0,
			altp2m: 0,
			vmtraceBytes: 0,
			hap: true,
			oosOff: false,
			nestedVirt: false,
			vpmu: false,
			iommu: false,
			separateIommu: false,
			msrRelaxed: false,
			hvmPirq: false,
		});
		await fake({ create }).create({
			...{ uuid: id, type: "pvh", maxVcpus: 1, altp2m: "external", iommu: "separate", oos: false },
			...{ maxGrantFrames: 64, cpupool: 3 },
		});
		expect(create).toHaveBeenLastCalledWith(
			expect.objectContaining({
				...{ type: "pvh", altp2m: 2, iommu: true, separateIommu: true, oosOff: true },
				...{ maxGrantFrames: 64, cpupool: 3 },
			}),
		);
	});

	test("destroying what does not exist succeeds; other refusals do not", async () => {
		const failure = (errno: string): Error =>
			Object.assign(new Error(), { operation: "xc_domain_destroy", errno, log: [] });
		const destroy = vi.fn().mockRejectedValueOnce(failure("ESRCH")).mockRejectedValueOnce(failure("EPERM"));
		const domains = fake({ destroy });
		await expect(domains.destroy(domId(8))).resolves.toBeUndefined();
		await expect(domains.destroy(domId(8))).rejects.toMatchObject({ errno: "EPERM", fields: { domid: 8 } });
	});

	test("shutdown and parameters go by number; an unknown reason has none", async () => {
		const shutdown = vi.fn(async () => {});
		const setHvmParam = vi.fn(async () => {});
		const domains = fake({ shutdown, setHvmParam });
		await domains.shutdown(DOM0, "reboot");
		await domains.setHvmParam(DOM0, "timerMode", 1);
		expect(shutdown).toHaveBeenCalledWith(0, 1);
		expect(setHvmParam).toHaveBeenCalledWith(0, 10, 1);
		await expect(domains.shutdown(DOM0, "unknown")).rejects.toThrow(TypeError);
	});

	test("the console ring is text, whatever bytes it holds", async () => {
		const readConsoleRing = async (): Promise<Buffer> => Buffer.from("(XEN) line\n\0\xff", "latin1");
		expect(await fake({ readConsoleRing }).readConsoleRing()).toBe("(XEN) line\n\xff");
	});
});
