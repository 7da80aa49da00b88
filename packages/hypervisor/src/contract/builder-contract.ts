import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DomId, domId, evtchnPort } from "@bulkhead/base";
import type { BuildHvm, BuiltImage } from "../ports/guest-builder.ts";
import type { ContractHost, ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { prepare, TEST_MEMORY_KIB, withDomain, withPvGuest } from "./test-domain.ts";
import { TINY_REPORT, tinyPvKernel } from "./tiny-pv-kernel.ts";
import { until } from "./until.ts";

const HVM_MEMORY_KIB = 32 * 1024;
const VIDEO_MEMORY_KIB = 8 * 1024;
/** hvm_info_table.h */
const HVM_INFO = { frame: 0x9f, offset: 0x800, length: 48 } as const;

export function builderContract(open: OpenContractHost): ContractRow[] {
	return rows("builder", open, {
		"a PV image leaves a paused domain with the memory asked for": async (host) => {
			await withPvGuest(host, {}, async ({ domid, storeFrame, consoleFrame }) => {
				const found = await host.hypervisor.domains.find(domid);
				assert.equal(found?.paused, true);
				assert.equal(found?.totalKiB, TEST_MEMORY_KIB);
				assert.ok(storeFrame > 0 && consoleFrame > 0 && storeFrame !== consoleFrame);
			});
		},
		"the PV guest runs, sees command line and ramdisk, sends its event and powers off": async (host) => {
			const { domains } = host.hypervisor;
			const ramdisk = Buffer.from("RAMDISK!and more of it");
			await withPvGuest(host, { behaviour: "report", commandLine: "quiet=1 second", ramdisk }, async (guest) => {
				let events = 0;
				const console = host.rings.evtchns.bindInterdomain(guest.domid, guest.consolePort, () => events++);
				const page = host.hypervisor.foreignMemory.map(guest.domid, [guest.consoleFrame]);
				// Binding may itself have been announced: only what comes after counts.
				await until("the first event, if any, has been told", async () => {
					const before = events;
					await domains.hostInfo();
					return events === before;
				});
				const before = events;
				await domains.unpause(guest.domid);
				await until("the guest has shut down", async () => (await domains.find(guest.domid))?.shutdown === true);
				assert.equal((await domains.find(guest.domid))?.shutdownReason, "poweroff");
				await until("the guest's event arrives", () => events > before);

				const bytes = Buffer.from(page.buffer.slice(0));
				assert.equal(bytes.readUInt32LE(TINY_REPORT.producerOffset), TINY_REPORT.length);
				const report = bytes.subarray(TINY_REPORT.ringOffset, TINY_REPORT.ringOffset + TINY_REPORT.length);
				assert.equal(report.toString("latin1", 0, 8), TINY_REPORT.greeting.text);
				assert.equal(report.toString("latin1", TINY_REPORT.commandLine, TINY_REPORT.commandLine + 8), "quiet=1 ");
				assert.equal(report.readBigUInt64LE(TINY_REPORT.ramdiskLength), BigInt(ramdisk.length));
				assert.equal(report.toString("latin1", TINY_REPORT.ramdiskStart), "RAMDISK!");
				page.unmap();
				console.close();
			});
		},
		"a file that is no kernel is refused in the library's words": async (host) => {
			const error = await refused(() => withPvGuest(host, { kernel: Buffer.from("not a kernel".repeat(1000)) }, never));
			assert.ok(error.log.length > 0, "no log");
			assert.match(error.log.join("\n"), /loader|kernel|image/i);
			assert.ok(error.message.includes(join(host.scratchDir, "kernel")), error.message);
		},
		"a kernel cut short is refused": async (host) => {
			await refused(() => withPvGuest(host, { kernel: tinyPvKernel("idle").subarray(0, 100) }, never));
		},
		"a missing, an empty and a special file are refused by name": async (host) => {
			await withDomain(host, {}, async (domid) => {
				const ports = await prepare(host, domid);
				const build = (kernel: string) =>
					host.hypervisor.builder.buildPv({ domid, maxVcpus: 1, ...ports, memoryKiB: 1024, kernel, commandLine: "" });
				const missing = join(host.scratchDir, "missing");
				const error = await refused(() => build(missing), "ENOENT");
				assert.ok(error.message.includes(missing));
				const empty = join(host.scratchDir, "empty");
				await writeFile(empty, "");
				await refused(() => build(empty));
				await refused(() => build(host.scratchDir));
				await refused(() => build("/dev/zero"));
			});
		},
		"more memory than the domain's limit is refused, with the library's words": async (host) => {
			const error = await refused(() => withPvGuest(host, { memoryKiB: 4 * TEST_MEMORY_KIB }, never));
			assert.ok(error.log.length > 0, "no log");
		},
		"memory must be whole MiB and the domain must exist": async (host) => {
			const kernel = join(host.scratchDir, "kernel");
			await writeFile(kernel, tinyPvKernel("idle"));
			const ports = { storePort: evtchnPort(1), consolePort: evtchnPort(2) };
			const request = { maxVcpus: 1, ...ports, kernel, commandLine: "" };
			const { builder } = host.hypervisor;
			await assert.rejects(builder.buildPv({ ...request, domid: domId(0x7000), memoryKiB: 1500 }), TypeError);
			await refused(() => builder.buildPv({ ...request, domid: domId(0x7000), memoryKiB: 2048 }));
		},
		"an HVM image puts the special pages and hvm_info where firmware looks": async (host) => {
			await withHvmDomain(host, {}, async ({ domid, storeFrame, consoleFrame }) => {
				assert.equal(storeFrame, 0xfeffc);
				assert.equal(consoleFrame, 0xfefff);
				const found = await host.hypervisor.domains.find(domid);
				assert.equal(found?.paused, true);
				const ramKiB = HVM_MEMORY_KIB - VIDEO_MEMORY_KIB;
				assert.ok(found && Math.abs(found.totalKiB - ramKiB) < 1024, `${found?.totalKiB} KiB`);

				const page = host.hypervisor.foreignMemory.map(domid, [HVM_INFO.frame]);
				const info = Buffer.from(page.buffer.slice(HVM_INFO.offset, HVM_INFO.offset + HVM_INFO.length));
				page.unmap();
				assert.equal(info.toString("latin1", 0, 8), "HVM INFO");
				assert.equal(info.readUInt32LE(8), HVM_INFO.length);
				assert.equal(
					info.reduce((sum, byte) => (sum + byte) & 0xff, 0),
					0,
					"checksum",
				);
				assert.equal(info.readUInt8(13), 1, "apic_mode");
				assert.equal(info.readUInt32LE(16), 2, "nr_vcpus");
				assert.equal(info.readUInt32LE(20), ramKiB / 4, "low_mem_pgend");
				assert.equal(info.readUInt32LE(24), 0xfeff0, "reserved_mem_pgstart");
				assert.equal(info.readUInt32LE(28), 0, "high_mem_pgend");
				assert.equal(info.readUInt8(32), 0b11, "vcpu_online");
			});
		},
		"an HVM image may begin with fewer vcpus and less memory, with a larger hole and with tables": async (host) => {
			const acpiFirmware = join(host.scratchDir, "acpi");
			const smbiosFirmware = join(host.scratchDir, "smbios");
			await writeFile(acpiFirmware, "A".repeat(100));
			await writeFile(smbiosFirmware, "S".repeat(200));
			const less = { memoryKiB: HVM_MEMORY_KIB - 8192, vcpus: 1, mmioHoleMiB: 512, apic: false };
			await withHvmDomain(host, { ...less, acpiFirmware, smbiosFirmware }, async (built) => {
				const { domid, acpiTable, smbiosTable } = built;
				const ramKiB = HVM_MEMORY_KIB - 8192 - VIDEO_MEMORY_KIB;
				const found = await host.hypervisor.domains.find(domid);
				assert.ok(found && Math.abs(found.totalKiB - ramKiB) < 1024, `${found?.totalKiB} KiB`);
				assert.equal(acpiTable?.length, 100);
				assert.equal(smbiosTable?.length, 200);
				assert.ok(acpiTable.address > 0 && smbiosTable.address > 0 && acpiTable.address !== smbiosTable.address);
				const page = host.hypervisor.foreignMemory.map(domid, [HVM_INFO.frame]);
				const info = Buffer.from(page.buffer.slice(HVM_INFO.offset, HVM_INFO.offset + HVM_INFO.length));
				page.unmap();
				assert.equal(info.readUInt8(13), 0, "apic_mode");
				assert.equal(info.readUInt32LE(16), 2, "nr_vcpus");
				assert.equal(info.readUInt8(32), 0b1, "vcpu_online");
			});
		},
		"an HVM image without its firmware or BIOS is refused by name": async (host) => {
			for (const key of ["hvmloader", "bios"] as const) {
				const path = join(host.scratchDir, `no-${key}`);
				const error = await refused(() => withHvmDomain(host, { [key]: path }, never), "ENOENT");
				assert.ok(error.message.includes(path), error.message);
			}
		},
		"video memory that leaves no RAM is refused": async (host) => {
			await assert.rejects(withHvmDomain(host, {}, never, HVM_MEMORY_KIB), TypeError);
		},
	});
}

async function withHvmDomain(
	host: ContractHost,
	{ hvmloader: firmware, bios, ...more }: Partial<ContractHost["images"] & BuildHvm>,
	use: (built: BuiltImage & { domid: DomId }) => Promise<void>,
	videoMemoryKiB: number = VIDEO_MEMORY_KIB,
): Promise<void> {
	const { domains, builder } = host.hypervisor;
	const images = { firmware: firmware ?? host.images.hvmloader, bios: bios ?? host.images.bios };
	await withDomain(host, { type: "hvm", maxVcpus: 2 }, async (domid) => {
		const ports = await prepare(host, domid, { memoryKiB: HVM_MEMORY_KIB, maxVcpus: 2 });
		await domains.setPagingMempool(domid, 4096 * (256 * 2 + 2 * (HVM_MEMORY_KIB / 1024)));
		await domains.applyCpuPolicy(domid);
		const request = { domid, maxVcpus: 2, ...ports, maxMemoryKiB: HVM_MEMORY_KIB, videoMemoryKiB, ...images };
		await use({ domid, ...(await builder.buildHvm({ ...request, ...more })) });
	});
}

async function never(): Promise<void> {
	assert.fail("the image was built");
}
