import type { Uuid } from "@bulkhead/base";
import type { DiskConfig } from "@bulkhead/xlcfg";
import type { BootFile } from "./device-model/direct-boot.ts";

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
	| { name: "open-boot-file"; file: BootFile }
	| { name: "create-domain"; role: Role; uuid: Uuid; type: "pv" | "hvm"; maxVcpus: number }
	| { name: "write-skeleton"; role: Role; domainName: string; type: "pv" | "hvm"; dmVersion: string }
	| { name: "prepare-domain"; role: Role; type: "pv" | "hvm"; maxVcpus: number; memoryKiB: number }
	| { name: "build-image"; role: Role; type: "pv" | "hvm"; maxVcpus: number; image: ImageRequest }
	| {
			name: "introduce";
			role: Role;
			type: "pv" | "hvm";
			vcpus: number;
			memoryKiB: number;
			videoMemoryKiB: number;
			dmVersion: string;
	  }
	| { name: "pair-domains"; protocol: "linux" | "minios"; bios: string }
	| { name: "announce-qemu" }
	| {
			name: "publish-devices";
			roles: Role[];
			disks: DiskConfig[];
			/** Names of disks that the stub domain has alone. */
			bootDisks: string[];
			consoles: ConsoleRequest[];
	  }
	| { name: "start-stub" }
	| { name: "accept-consoles"; consoles: ConsoleRequest[] }
	| { name: "connect-consoles"; consoles: ConsoleRequest[] }
	| { name: "await-device-model"; timeoutMs: number }
	| { name: "connect-qmp" }
	| { name: "start-qemu"; binary: string }
	| { name: "await-qemu"; timeoutMs: number }
	| { name: "connect-qmp-socket" }
	| { name: "configure-qemu" }
	| { name: "start-guest" };

/** What taking a guest away consists of. Every step is safe to repeat. */
export type DestroyStep =
	| { name: "forget-relay"; purge: boolean }
	| { name: "stop-qemu" }
	| { name: "destroy-domain"; role: Role }
	| { name: "remove-nodes"; role: Role }
	| { name: "await-gone"; role: Role }
	| { name: "release-disks" };
