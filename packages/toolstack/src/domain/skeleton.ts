import type { DomId, Uuid } from "@bulkhead/base";
import type { XenstoreView } from "@bulkhead/xenstore";
import type { Role } from "../steps.ts";
import { type NodeTree, writeNodes } from "./node-tree.ts";
import { domainPath, toolstackPath, vmPath } from "./paths.ts";
import { hidden, ownedBy, readableBy } from "./permissions.ts";

export interface Skeleton {
	domid: DomId;
	uuid: Uuid;
	name: string;
	type: "pv" | "hvm";
	role: Role;
	/** Of an HVM guest: "qemu_xen" or "qemu_xen_traditional". */
	dmVersion: string;
}

/** What its kernel tells the toolstack, and what the toolstack asks of it: the domain writes these. */
const CONTROL_NODES = ["shutdown", "feature-poweroff", "feature-reboot", "feature-suspend", "sysrq"];

/** Free text that guests may write; a stub domain has no use for it. */
const GUEST_NODES = ["data", "drivers", "feature", "attr", "error"];

/** The nodes that a domain finds when it starts (libxl__domain_make). */
export function writeSkeleton(
	store: XenstoreView,
	{ domid, uuid, name, type, role, dmVersion }: Skeleton,
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
				...ownedNodes(GUEST_NODES),
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

export interface BuiltDomain {
	domid: DomId;
	uuid: Uuid;
	type: "pv" | "hvm";
	memoryKiB: number;
	videoMemoryKiB: number;
	vcpus: number;
	acpi: boolean;
	dmVersion: string;
	storePort: number;
	storeFrame: number;
}

/** What libxl__build_post publishes once a domain's image is loaded. */
export function writeBuiltDomain(store: XenstoreView, built: BuiltDomain): Promise<unknown> {
	const domain = domainPath(built.domid);
	const hvm = built.type === "hvm";
	const cpus = Array.from({ length: built.vcpus }, (_, cpu) =>
		store.write(`${domain}/cpu/${cpu}/availability`, "online"),
	);
	return Promise.all([
		store.write(`${domain}/memory/static-max`, built.memoryKiB),
		store.write(`${domain}/memory/target`, built.memoryKiB - built.videoMemoryKiB),
		store.write(`${domain}/domid`, built.domid),
		store.write(`${domain}/store/port`, built.storePort),
		store.write(`${domain}/store/ring-ref`, built.storeFrame),
		...cpus,
		store.write(`${vmPath(built.uuid)}/image/ostype`, hvm ? "hvm" : "linux"),
		...(hvm ? writeHvm(store, domain, built) : []),
	]);
}

function writeHvm(store: XenstoreView, domain: string, built: BuiltDomain): Promise<unknown>[] {
	const { uuid, acpi, videoMemoryKiB, dmVersion } = built;
	const flag = acpi ? "1" : "0";
	return [
		store.write(`${domain}/memory/videoram`, videoMemoryKiB),
		store.write(`${domain}/platform/acpi`, flag),
		store.write(`${domain}/platform/acpi_s3`, flag),
		store.write(`${domain}/platform/acpi_s4`, flag),
		store.write(`${domain}/platform/device-model`, dmVersion),
		store.write(`${vmPath(uuid)}/rtc/timeoffset`, ""),
	];
}
