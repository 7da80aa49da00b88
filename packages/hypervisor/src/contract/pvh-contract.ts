import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PVH_ACPI } from "../ports/guest-builder.ts";
import type { ContractHost, ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { type BuiltDomain, prepare, withDomain } from "./test-domain.ts";
import { tinyPvKernel } from "./tiny-pv-kernel.ts";
import { TINY_PVH_REPORT, tinyPvhKernel } from "./tiny-pvh-kernel.ts";
import { until } from "./until.ts";

const MEMORY_KIB = 32 * 1024;
const PAGE = 4096;

interface PvhGuest {
	kernel?: Uint8Array;
	memoryKiB?: number;
	maxMemoryKiB?: number;
	acpi?: readonly { address: number; bytes: Uint8Array }[];
}

export function pvhContract(open: OpenContractHost): ContractRow[] {
	return rows("PVH", open, {
		"a kernel runs, sees command line, ramdisk and ACPI tables, and powers off": async (host) => {
			const { domains } = host.hypervisor;
			const acpi = [
				{ address: PVH_ACPI.start + 2 * PAGE, bytes: Buffer.from("RSD PTR and more") },
				{ address: PVH_ACPI.start, bytes: Buffer.alloc(PAGE + 100, 7) },
			];
			await withPvhGuest(host, { acpi }, async ({ domid, storeFrame, consoleFrame }) => {
				assert.equal(storeFrame, 0xfeffc);
				assert.equal(consoleFrame, 0xfefff);
				assert.equal((await domains.find(domid))?.type, "hvm-or-pvh");
				const page = host.hypervisor.foreignMemory.map(domid, [consoleFrame]);
				await domains.unpause(domid);
				await until("the guest has shut down", async () => (await domains.find(domid))?.shutdown === true);
				assert.equal((await domains.find(domid))?.shutdownReason, "poweroff");
				const bytes = Buffer.from(page.buffer.slice(0));
				page.unmap();
				const report = bytes.subarray(TINY_PVH_REPORT.ringOffset, TINY_PVH_REPORT.ringOffset + TINY_PVH_REPORT.length);
				const text = (at: number): string => report.toString("latin1", at, at + 8);
				assert.equal(text(TINY_PVH_REPORT.greeting.offset), TINY_PVH_REPORT.greeting.text);
				assert.equal(text(TINY_PVH_REPORT.commandLine), "quiet=1 ");
				assert.equal(text(TINY_PVH_REPORT.rsdp), "RSD PTR ");
				assert.equal(report.readUInt32LE(TINY_PVH_REPORT.rsdpAddress), PVH_ACPI.start + 2 * PAGE);
				assert.equal(report.readUInt32LE(TINY_PVH_REPORT.modules), 1);
			});
		},
		"what is less than the maximum is populated on demand": async (host) => {
			const { domains } = host.hypervisor;
			await withPvhGuest(host, { memoryKiB: 16 * 1024, maxMemoryKiB: MEMORY_KIB }, async ({ domid }) => {
				const { totalKiB = 0 } = (await domains.find(domid)) ?? {};
				assert.ok(totalKiB >= 16 * 1024 && totalKiB < 18 * 1024, `${totalKiB} KiB`);
				// Xen holds the target to the domain's limit.
				await refused(() => domains.setPodTarget(domid, 20 * 1024), "EINVAL");
				await domains.setMaxMemory(domid, 20 * 1024 + 1024);
				await domains.setPodTarget(domid, 20 * 1024);
			});
		},
		"a kernel without a PVH entry is refused": async (host) => {
			await refused(() => withPvhGuest(host, { kernel: tinyPvKernel("idle") }, never));
		},
		"ACPI tables outside of their place are refused": async (host) => {
			const acpi = [{ address: 0x1000, bytes: Buffer.alloc(10) }];
			await assert.rejects(withPvhGuest(host, { acpi }, never), TypeError);
		},
	});
}

async function withPvhGuest(
	host: ContractHost,
	guest: PvhGuest,
	use: (built: BuiltDomain) => Promise<void>,
): Promise<void> {
	const { domains, builder } = host.hypervisor;
	const { memoryKiB = MEMORY_KIB, maxMemoryKiB = MEMORY_KIB, acpi = [] } = guest;
	const kernel = join(host.scratchDir, "kernel");
	const ramdisk = join(host.scratchDir, "ramdisk");
	await writeFile(kernel, guest.kernel ?? tinyPvhKernel());
	await writeFile(ramdisk, "RAMDISK!");
	await withDomain(host, { type: "pvh" }, async (domid) => {
		const ports = await prepare(host, domid, { memoryKiB });
		await domains.setHvmParam(domid, "timerMode", 1);
		await domains.setTscMode(domid, "default");
		await domains.setPagingMempool(domid, 4096 * (256 + 2 * (MEMORY_KIB / 1024)));
		await domains.applyCpuPolicy(domid);
		const common = { domid, maxVcpus: 1, ...ports, memoryKiB, maxMemoryKiB };
		const image = await builder.buildPvh({ ...common, kernel, ramdisk, commandLine: "quiet=1 second", acpi });
		await use({ domid, ...ports, ...image });
	});
}

async function never(): Promise<void> {
	assert.fail("the image was built");
}
