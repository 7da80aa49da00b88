import type { DomId, Uuid } from "@bulkhead/base";
import type { XenstoreView } from "@bulkhead/xenstore";
import type { Role } from "../steps.ts";
import { domainPath, toolstackPath, vmPath } from "./paths.ts";
import { hidden, ownedBy, readableBy } from "./permissions.ts";

export interface Skeleton {
	domid: DomId;
	uuid: Uuid;
	name: string;
	type: "pv" | "hvm";
	role: Role;
}

const CONTROL_NODES = [
	"control/shutdown",
	"control/feature-poweroff",
	"control/feature-reboot",
	"control/feature-suspend",
	"control/sysrq",
	"device/suspend/event-channel",
];

/** Free text that guests may write; a stub domain has no use for it. */
const GUEST_NODES = ["data", "drivers", "feature", "attr", "error"];

/**
 * The nodes that a domain finds when it starts (libxl__domain_make). Children inherit their parent's permissions, so
 * only nodes that differ from it are given some.
 */
export function writeSkeleton(store: XenstoreView, { domid, uuid, name, type, role }: Skeleton): Promise<unknown> {
	const domain = domainPath(domid);
	const vm = vmPath(uuid);
	const owned = role === "guest" ? [...CONTROL_NODES, ...GUEST_NODES] : CONTROL_NODES;
	return Promise.all([
		store.remove(domain),
		store.put(domain, "", readableBy(domid)),
		store.put(vm, "", readableBy(domid)),
		store.write(`${domain}/vm`, vm),
		store.write(`${domain}/name`, name),
		store.write(`${vm}/name`, name),
		store.write(`${vm}/uuid`, uuid),
		store.write(`${domain}/control/platform-feature-multiprocessor-suspend`, "1"),
		store.write(`${domain}/control/platform-feature-xs_reset_watches`, "1"),
		...owned.map((node) => store.put(`${domain}/${node}`, "", ownedBy(domid, domid))),
		store.put(toolstackPath(domid), "", hidden),
		store.write(`${toolstackPath(domid)}/type`, type),
		...(type === "hvm" ? [store.write(`${toolstackPath(domid)}/dm-version`, "qemu_xen")] : []),
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
		store.write(`${domain}/memory/videoram`, hvm ? built.videoMemoryKiB : -1),
		store.write(`${domain}/domid`, built.domid),
		store.write(`${domain}/store/port`, built.storePort),
		store.write(`${domain}/store/ring-ref`, built.storeFrame),
		...cpus,
		store.write(`${vmPath(built.uuid)}/image/ostype`, hvm ? "hvm" : "linux"),
		...(hvm ? writePlatform(store, domain, built) : []),
	]);
}

function writePlatform(store: XenstoreView, domain: string, { uuid, acpi }: BuiltDomain): Promise<unknown>[] {
	const flag = acpi ? "1" : "0";
	return [
		store.write(`${domain}/platform/acpi`, flag),
		store.write(`${domain}/platform/acpi_s3`, flag),
		store.write(`${domain}/platform/acpi_s4`, flag),
		store.write(`${domain}/platform/acpi_laptop_slate`, "0"),
		store.write(`${domain}/platform/device-model`, "qemu_xen"),
		store.write(`${vmPath(uuid)}/rtc/timeoffset`, ""),
	];
}
