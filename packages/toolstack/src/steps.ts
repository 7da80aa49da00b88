import type { Uuid } from "@bulkhead/base";
import type { DiskConfig, NicConfig } from "@bulkhead/xlcfg";

/** The two domains that a guest may consist of. */
export type Role = "guest" | "stub";

export interface ImageRequest {
	memoryKiB: number;
	videoMemoryKiB: number;
	/** PV: kernel, ramdisk and command line. */
	pv?: { kernel: string; ramdisk?: string; commandLine: string };
	/** HVM: hvmloader and the BIOS. */
	hvm?: { firmware: string; bios: string };
}

/** A console of a domain, as a user names it. */
export interface ConsoleRequest {
	role: Role;
	/** Number of the PV console: 0 is the one made at build time. */
	index: number;
	/** "serial0", "stub", "pv", "save", "restore". */
	label: string;
	/** Whether a pty is wanted. */
	pty: boolean;
}

/** What creating a guest consists of: plain data, printable, one executor for each name (create-actions.ts). */
export type CreateStep =
	| { name: "open-disk"; disk: DiskConfig }
	| { name: "create-domain"; role: Role; uuid: Uuid; type: "pv" | "hvm"; maxVcpus: number }
	| { name: "write-skeleton"; role: Role; domainName: string; type: "pv" | "hvm" }
	| { name: "prepare-domain"; role: Role; type: "pv" | "hvm"; maxVcpus: number; memoryKiB: number }
	| { name: "build-image"; role: Role; type: "pv" | "hvm"; maxVcpus: number; image: ImageRequest }
	| { name: "introduce"; role: Role; type: "pv" | "hvm"; vcpus: number; memoryKiB: number; videoMemoryKiB: number }
	| { name: "pair-domains"; bios: string }
	| { name: "publish-devices"; roles: Role[]; disks: DiskConfig[]; nics: NicConfig[]; consoles: ConsoleRequest[] }
	| { name: "connect-nics"; roles: Role[]; nics: NicConfig[] }
	/** For a QEMU in domain 0, once it runs. */
	| { name: "connect-taps"; nics: NicConfig[] }
	| { name: "start-stub" }
	| { name: "accept-consoles"; consoles: ConsoleRequest[] }
	| { name: "connect-consoles"; consoles: ConsoleRequest[] }
	| { name: "await-device-model"; timeoutMs: number }
	| { name: "connect-qmp" }
	| { name: "start-guest" };

/** What taking a guest away consists of. Every step is safe to repeat. */
export type DestroyStep =
	| { name: "flush-disks" }
	| { name: "forget-relay"; purge: boolean }
	| { name: "destroy-domain"; role: Role }
	| { name: "disconnect-nics"; role: Role }
	| { name: "remove-nodes"; role: Role }
	| { name: "await-gone"; role: Role }
	| { name: "release-disks" };
