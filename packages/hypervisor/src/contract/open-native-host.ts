import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openGrantOffers, openHypervisor, openRingHost } from "../native/index.ts";
import type { ContractBlock, ContractHost, OpenContractHost } from "./contract-host.ts";

const run = promisify(execFile);

/** The native engine in the control domain of a Xen host. */
export function nativeContractHost(images: ContractHost["images"]): OpenContractHost {
	return async () => {
		const hypervisor = openHypervisor();
		const rings = openRingHost();
		const offers = openGrantOffers();
		const scratchDir = await mkdtemp(join(tmpdir(), "bulkhead-contract-"));
		return {
			hypervisor,
			rings,
			offers,
			abilities: { independentMappings: true, deviceNodes: true, socketPeers: true },
			images,
			scratchDir,
			openBlock: openNode,
			addLink,
			countHandles: () => readdirSync("/proc/self/fd").length,
			close: async () => {
				offers.close();
				rings.close();
				hypervisor.close();
				await rm(scratchDir, { recursive: true, force: true });
			},
		};
	};
}

async function openNode(path: string, access: "r" | "r+"): Promise<ContractBlock> {
	const file = await open(path, access);
	return {
		read: async (at, length) => {
			const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
			return buffer.subarray(0, bytesRead);
		},
		write: async (at, bytes) => {
			await file.write(bytes, 0, bytes.length, at);
			await file.sync();
		},
		close: () => file.close(),
	};
}

/** A port is a tap without a program behind it: like netback's interfaces, it is somebody else's. */
async function addLink(name: string, kind: "bridge" | "port"): Promise<() => Promise<void>> {
	const add =
		kind === "bridge" ? ["link", "add", name, "type", "bridge"] : ["tuntap", "add", "dev", name, "mode", "tap"];
	await run("ip", add);
	return async () => {
		await run("ip", ["link", "del", "dev", name]).catch(() => {});
	};
}
