import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContractHost } from "../../src/contract/index.ts";
import { SimHost } from "../../src/sim/index.ts";

/** A simulated host for one row. Closing it checks that the row has left nothing. */
export async function openSimContractHost(): Promise<ContractHost & { host: SimHost }> {
	const host = new SimHost();
	const process = host.startProcess("contract");
	const scratchDir = await mkdtemp(join(tmpdir(), "sim-contract-"));
	const images = { hvmloader: join(scratchDir, "hvmloader"), bios: join(scratchDir, "bios") };
	await writeFile(images.hvmloader, "hvmloader");
	await writeFile(images.bios, "BIOS");
	const { hypervisor, rings, offers } = process;
	return {
		host,
		hypervisor,
		rings,
		offers,
		abilities: { independentMappings: false, deviceNodes: false, socketPeers: false },
		images,
		scratchDir,
		openBlock: async (path) => {
			const handle = host.loops.open(path);
			return {
				read: async (at, length) => handle.read(at, length),
				write: async (at, bytes) => handle.write(at, bytes),
				close: async () => handle.close(),
			};
		},
		addLink: async (name, kind) => {
			host.links.add(name, { isBridge: kind === "bridge" });
			return async () => host.links.remove(name);
		},
		countHandles: () => host.heldCount,
		close: async () => {
			offers.close();
			rings.close();
			hypervisor.close();
			await rm(scratchDir, { recursive: true, force: true });
			host.assertIdle();
		},
	};
}
