import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DOM0, type DomId, type EvtchnPort, randomUuid } from "@bulkhead/base";
import type { CreateDomain } from "../ports/domains.ts";
import type { BuiltImage } from "../ports/guest-builder.ts";
import type { ContractHost } from "./contract-host.ts";
import { type TinyKernelBehaviour, tinyPvKernel } from "./tiny-pv-kernel.ts";
import { until } from "./until.ts";

export const TEST_MEMORY_KIB: number = 16 * 1024;
/** libxl leaves this much above a guest's memory too. */
const SLACK_KIB = 1024;

/** Creates a domain, gives it to `use`, and destroys it on every path, waiting until it has gone. */
export async function withDomain<T>(
	host: ContractHost,
	request: Partial<CreateDomain>,
	use: (domid: DomId) => Promise<T>,
): Promise<T> {
	const { domains } = host.hypervisor;
	const domid = await domains.create({ uuid: randomUuid(), type: "pv", maxVcpus: 1, ...request });
	try {
		return await use(domid);
	} finally {
		await domains.destroy(domid);
		await untilGone(host, domid);
	}
}

export async function untilGone({ hypervisor }: ContractHost, domid: DomId): Promise<void> {
	await until(`domain ${domid} is gone`, async () => (await hypervisor.domains.find(domid)) === undefined);
}

export interface BuiltDomain extends BuiltImage {
	domid: DomId;
	storePort: EvtchnPort;
	consolePort: EvtchnPort;
}

export interface TinyGuest {
	behaviour?: TinyKernelBehaviour;
	commandLine?: string;
	ramdisk?: Uint8Array;
	/** What the builder is asked for; the domain's limit stays TEST_MEMORY_KIB. */
	memoryKiB?: number;
	/** In place of the tiny kernel. */
	kernel?: Uint8Array;
}

/** A PV domain with a tiny kernel, built and still paused. */
export async function withPvGuest<T>(
	host: ContractHost,
	guest: TinyGuest,
	use: (built: BuiltDomain) => Promise<T>,
): Promise<T> {
	const { behaviour = "idle", commandLine = "", memoryKiB = TEST_MEMORY_KIB } = guest;
	const kernel = join(host.scratchDir, "kernel");
	await writeFile(kernel, guest.kernel ?? tinyPvKernel(behaviour));
	const ramdisk = guest.ramdisk && join(host.scratchDir, "ramdisk");
	if (ramdisk && guest.ramdisk) await writeFile(ramdisk, guest.ramdisk);
	return withDomain(host, { type: "pv" }, async (domid) => {
		const ports = await prepare(host, domid);
		const { domains, builder } = host.hypervisor;
		await domains.setMemoryMapLimit(domid, TEST_MEMORY_KIB);
		await domains.setTscMode(domid, "default");
		await domains.applyCpuPolicy(domid);
		const image = await builder.buildPv({ domid, maxVcpus: 1, ...ports, memoryKiB, kernel, ramdisk, commandLine });
		return use({ domid, ...ports, ...image });
	});
}

/** What both kinds of guest need before they are built. */
export async function prepare(
	{ hypervisor: { domains } }: ContractHost,
	domid: DomId,
	{ memoryKiB = TEST_MEMORY_KIB, maxVcpus = 1 }: { memoryKiB?: number; maxVcpus?: number } = {},
): Promise<{ storePort: EvtchnPort; consolePort: EvtchnPort }> {
	await domains.setMaxVcpus(domid, maxVcpus);
	await domains.setMaxMemory(domid, memoryKiB + SLACK_KIB);
	const storePort = await domains.allocUnboundEvtchn(domid, DOM0);
	const consolePort = await domains.allocUnboundEvtchn(domid, DOM0);
	return { storePort, consolePort };
}
