import { randomBytes } from "node:crypto";
import type { DomId, Uuid } from "@bulkhead/base";
import type { DomainType } from "@bulkhead/hypervisor";
import type { XenstoreView } from "@bulkhead/xenstore";
import type { GuestConfig } from "@bulkhead/xlcfg";
import type { Role } from "../steps.ts";
import { type NodeTree, writeNodes } from "./node-tree.ts";
import { domainPath, toolstackPath, vmPath } from "./paths.ts";
import { hidden, ownedBy, readableBy } from "./permissions.ts";
import { MEMORY_SLACK_KIB } from "./prepare.ts";
import { smbiosNodes } from "./smbios-strings.ts";

export interface Skeleton {
	domid: DomId;
	uuid: Uuid;
	name: string;
	type: DomainType;
	role: Role;
	/** Of an HVM guest: "qemu_xen" or "qemu_xen_traditional". */
	dmVersion: string;
	/** It serves devices to other domains, by a toolstack of its own (xl devd). */
	driverDomain: boolean;
}

/** What its kernel tells the toolstack, and what the toolstack asks of it: the domain writes these. */
const CONTROL_NODES = ["shutdown", "feature-poweroff", "feature-reboot", "feature-suspend", "sysrq"];

/** Free text that guests may write; a stub domain has no use for it. */
const GUEST_NODES = ["data", "drivers", "feature", "attr", "error"];

/** The nodes that a domain finds when it starts (libxl__domain_make). */
export function writeSkeleton(
	store: XenstoreView,
	{ domid, uuid, name, type, role, dmVersion, driverDomain }: Skeleton,
): Promise<unknown> {
	const vm = vmPath(uuid);
	const owned = { permissions: ownedBy(domid, domid) };
	const ownedNodes = (names: readonly string[]): Record<string, NodeTree> =>
		Object.fromEntries(names.map((each) => [each, owned]));
	const domain: NodeTree = {
		permissions: readableBy(domid),
		children: {
			vm,
			name,
			control: {
				children: {
					"platform-feature-multiprocessor-suspend": "1",
					"platform-feature-xs_reset_watches": "1",
					...ownedNodes(CONTROL_NODES),
				},
			},
			...(role === "guest" && {
				device: { children: { suspend: { children: { "event-channel": owned } } } },
				...ownedNodes(driverDomain ? [...GUEST_NODES, ...DRIVER_NODES] : GUEST_NODES),
			}),
		},
	};
	const toolstack = { type, ...(type === "hvm" && { "dm-version": dmVersion }) };
	return Promise.all([
		store.remove(domainPath(domid)),
		writeNodes(store, domainPath(domid), domain),
		writeNodes(store, vm, { permissions: readableBy(domid), children: { name, uuid } }),
		writeNodes(store, toolstackPath(domid), { permissions: hidden, children: toolstack }),
	]);
}

/** Where a driver domain writes down what it has started. */
const DRIVER_NODES = ["libxl", "device-model"];

export interface BuiltDomain {
	domid: DomId;
	uuid: Uuid;
	type: DomainType;
	memoryKiB: number;
	maxMemoryKiB: number;
	videoMemoryKiB: number;
	/** Online at start. */
	vcpus: number;
	maxVcpus: number;
	config: GuestConfig;
	dmVersion: string;
	storePort: number;
	storeFrame: number;
}

/** What libxl__build_post publishes once a domain's image is loaded. */
export function writeBuiltDomain(store: XenstoreView, built: BuiltDomain): Promise<unknown> {
	const domain = domainPath(built.domid);
	const hvm = built.type === "hvm";
	const cpus = Array.from({ length: built.maxVcpus }, (_, cpu) =>
		store.write(`${domain}/cpu/${cpu}/availability`, cpu < built.vcpus ? "online" : "offline"),
	);
	return Promise.all([
		store.write(`${domain}/memory/static-max`, built.maxMemoryKiB),
		store.write(`${domain}/memory/target`, balloonTargetKiB(built)),
		store.write(`${domain}/domid`, built.domid),
		store.write(`${domain}/store/port`, built.storePort),
		store.write(`${domain}/store/ring-ref`, built.storeFrame),
		...cpus,
		store.write(`${vmPath(built.uuid)}/image/ostype`, hvm ? "hvm" : "linux"),
		...(hvm ? writeHvm(store, domain, built) : []),
	]);
}

/**
 * What the guest's balloon driver is to reach. An HVM guest's driver does not count video memory, and one that is
 * populated on demand must give back a little more than it was given beyond its target (LIBXL_MAXMEM_CONSTANT).
 */
export function balloonTargetKiB(
	built: Pick<BuiltDomain, "type" | "memoryKiB" | "maxMemoryKiB" | "videoMemoryKiB">,
): number {
	const { type, memoryKiB, maxMemoryKiB, videoMemoryKiB } = built;
	const fudgeKiB = type === "hvm" && memoryKiB < maxMemoryKiB ? MEMORY_SLACK_KIB : 0;
	return memoryKiB - videoMemoryKiB - fudgeKiB;
}

const GENERATION_BYTES = 16;

function writeHvm(store: XenstoreView, domain: string, built: BuiltDomain): Promise<unknown>[] {
	const { uuid, config, videoMemoryKiB, dmVersion } = built;
	const { acpi, acpiS3, acpiS4, acpiLaptopSlate, mmioHoleMiB, vmGenerationId } = config;
	const flag = (on: boolean): string => (on ? "1" : "0");
	return [
		store.write(`${domain}/memory/videoram`, videoMemoryKiB),
		store.write(`${domain}/platform/acpi`, flag(acpi)),
		store.write(`${domain}/platform/acpi_s3`, flag(acpi && acpiS3)),
		store.write(`${domain}/platform/acpi_s4`, flag(acpi && acpiS4)),
		store.write(`${domain}/platform/device-model`, dmVersion),
		store.write(`${vmPath(uuid)}/rtc/timeoffset`, ""),
		...(acpiLaptopSlate ? [store.write(`${domain}/platform/acpi_laptop_slate`, "1")] : []),
		...(mmioHoleMiB !== undefined
			? [store.write(`${domain}/platform/mmio_hole_size`, `${mmioHoleMiB * 1024 * 1024}`)]
			: []),
		...Object.entries(smbiosNodes(config.smbios)).map(([name, text]) =>
			store.write(`${domain}/bios-strings/${name}`, text),
		),
		...(vmGenerationId === "generate" ? [store.write(`${domain}/platform/generation-id`, newGenerationId())] : []),
	];
}

/** Two 64-bit numbers, as hvmloader reads them (libxl__ms_vm_genid_set). */
function newGenerationId(): string {
	const bytes = randomBytes(GENERATION_BYTES);
	return `${bytes.readBigUInt64LE(0)}:${bytes.readBigUInt64LE(8)}`;
}
