import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DOM0, type DomId, delay, type EvtchnPort, randomUuid } from "@bulkhead/base";
import { type SimProcess, VirtualClock } from "@bulkhead/hypervisor/sim";
import { onTestFinished } from "vitest";
import { type HostCounts, type SimImages, SimulatedHost, writeSimImages } from "../src/index.ts";

const SLACK_KIB = 1024;
const EVENTUALLY_MS = 5000;

/** A simulated host whose toolstack is the test itself. */
export class HostWorld {
	readonly clock: VirtualClock = new VirtualClock();
	readonly simulated: SimulatedHost;
	readonly images: SimImages;
	readonly toolstack: SimProcess;

	static async start(): Promise<HostWorld> {
		const directory = await mkdtemp(join(tmpdir(), "bhh-"));
		const clock = new VirtualClock();
		const simulated = await SimulatedHost.start({ clock, xenstoreSocket: join(directory, "xs") });
		onTestFinished(async () => {
			await simulated.close();
			await rm(directory, { recursive: true, force: true });
		});
		return new HostWorld(simulated, clock, await writeSimImages(directory));
	}

	private constructor(simulated: SimulatedHost, clock: VirtualClock, images: SimImages) {
		this.simulated = simulated;
		this.clock = clock;
		this.images = images;
		this.toolstack = simulated.host.startProcess("toolstack");
	}

	/** A PV domain, built, introduced and still paused. */
	async build(kernel: string): Promise<{ domid: DomId; consolePort: EvtchnPort }> {
		const { domains, builder } = this.toolstack.hypervisor;
		const memoryKiB = 32 * 1024;
		const domid = await domains.create({ uuid: randomUuid(), type: "pv", maxVcpus: 1 });
		await domains.setMaxVcpus(domid, 1);
		await domains.setMaxMemory(domid, memoryKiB + SLACK_KIB);
		const storePort = await domains.allocUnboundEvtchn(domid, DOM0);
		const consolePort = await domains.allocUnboundEvtchn(domid, DOM0);
		const request = { domid, maxVcpus: 1, storePort, consolePort, memoryKiB, kernel, commandLine: "" };
		const { storeFrame } = await builder.buildPv(request);
		const { xenstored } = this.simulated;
		const owned = [{ domid, access: "none" } as const];
		for (const path of ["", "/control", "/device"]) this.write(`/local/domain/${domid}${path}`, "", owned);
		xenstored.introduceDomain(domid, { frame: storeFrame, port: storePort });
		return { domid, consolePort };
	}

	write(path: string, value: string, permissions?: { domid: DomId; access: "none" }[]): void {
		this.simulated.xenstored.host.write(path, value, permissions);
	}

	find(path: string): string | undefined {
		return this.simulated.xenstored.host.find(path);
	}

	counts(): HostCounts {
		return this.simulated.counts;
	}

	async eventually<T>(what: string, look: () => T | undefined): Promise<T> {
		const deadline = performance.now() + EVENTUALLY_MS;
		for (;;) {
			const found = look();
			if (found !== undefined) return found;
			if (performance.now() > deadline) throw new Error(`Gave up waiting for ${what}`);
			await delay(2);
		}
	}
}
