import type { Uuid } from "@bulkhead/base";
import type { BuildHvm, BuildPvh, DomainType } from "@bulkhead/hypervisor";
import type { ChannelConfig, PciDeviceConfig } from "@bulkhead/xlcfg";
import type { BootFile } from "./device-model/direct-boot.ts";
import type { ServableDisk } from "./devices/vbd.ts";
import type { ServableNic } from "./devices/vif.ts";
import type { CreateSettings, HardwareSettings, PlacementSettings, PrepareSettings } from "./plan/domain-settings.ts";
import type { UsbTopology } from "./usb/usb-topology.ts";

/** The two domains that a guest may consist of. */
export type Role = "guest" | "stub";

/** What the builder is asked for, beside what the steps before have found. */
export type ImageRequest =
	| { type: "pv"; memoryKiB: number; kernel: string; ramdisk?: string; commandLine: string }
	| ({ type: "pvh" } & Omit<BuildPvh, "domid" | "maxVcpus" | "storePort" | "consolePort" | "acpi"> & { acpi: boolean })
	| ({ type: "hvm" } & Omit<BuildHvm, "domid" | "maxVcpus" | "storePort" | "consolePort">);

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
	| { name: "open-disk"; disk: ServableDisk }
	| { name: "open-boot-file"; file: BootFile }
	| { name: "create-domain"; role: Role; uuid: Uuid; settings: CreateSettings }
	| {
			name: "write-skeleton";
			role: Role;
			domainName: string;
			type: DomainType;
			dmVersion: string;
			driverDomain: boolean;
	  }
	| { name: "prepare-domain"; role: Role; settings: PrepareSettings }
	| { name: "place-domain"; role: Role; placement: PlacementSettings }
	| { name: "build-image"; role: Role; maxVcpus: number; image: ImageRequest }
	| {
			name: "introduce";
			role: Role;
			type: DomainType;
			vcpus: number;
			maxVcpus: number;
			memoryKiB: number;
			maxMemoryKiB: number;
			videoMemoryKiB: number;
			dmVersion: string;
	  }
	| { name: "permit-hardware"; role: Role; type: DomainType; hardware: HardwareSettings }
	| { name: "pair-domains"; protocol: "linux" | "minios"; bios: string }
	| { name: "announce-qemu" }
	| {
			name: "publish-devices";
			roles: Role[];
			disks: ServableDisk[];
			/** Names of disks that the stub domain has alone. */
			bootDisks: string[];
			nics: ServableNic[];
			consoles: ConsoleRequest[];
	  }
	| { name: "open-listener"; channel: ChannelConfig }
	| { name: "publish-channels"; channels: ChannelConfig[] }
	| { name: "connect-disks"; roles: Role[]; disks: ServableDisk[] }
	| { name: "connect-nics"; roles: Role[]; nics: ServableNic[] }
	/** For a QEMU in domain 0, once it runs. */
	| { name: "connect-taps"; nics: ServableNic[] }
	| { name: "start-stub" }
	| { name: "accept-consoles"; consoles: ConsoleRequest[] }
	| { name: "connect-consoles"; consoles: ConsoleRequest[] }
	| { name: "await-device-model"; timeoutMs: number }
	| { name: "connect-qmp" }
	/** A TCP socket for viewers. */
	| { name: "open-screen-listener" }
	| { name: "connect-screen" }
	| { name: "start-qemu"; binary: string }
	| { name: "await-qemu"; timeoutMs: number }
	| { name: "connect-qmp-socket" }
	| { name: "configure-qemu" }
	| { name: "attach-pci"; device: PciDeviceConfig }
	| { name: "plug-usb"; topology: UsbTopology }
	| { name: "start-guest" };

/** What taking a guest away consists of. Every step is safe to repeat. */
export type DestroyStep =
	| { name: "flush-disks" }
	| { name: "forget-relay"; purge: boolean }
	| { name: "stop-qemu" }
	| { name: "destroy-domain"; role: Role }
	/** Those whose backends are another domain's, or a script's: they have to be asked. */
	| { name: "remove-devices"; role: Role }
	| { name: "disconnect-nics"; role: Role }
	| { name: "remove-nodes"; role: Role }
	| { name: "await-gone"; role: Role }
	| { name: "release-pci" }
	| { name: "close-channels" }
	| { name: "close-screen" }
	/** Takes disks and nics from a domain that stays. */
	| { name: "strip-guest" }
	| { name: "release-disks" };
