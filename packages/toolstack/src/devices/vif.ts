import type { DomId } from "@bulkhead/base";
import type { NicConfig } from "@bulkhead/xlcfg";
import type { NodeTree } from "../domain/node-tree.ts";
import { backendPath, frontendPath } from "../domain/paths.ts";
import type { Role } from "../steps.ts";
import { frontend, XENBUS_STATE } from "./xenbus.ts";

const DEFAULT_MTU = 1500;
/** IFNAMSIZ without the terminator. */
const LONGEST_NAME = 15;
/** libxl's TAP_DEVICE_SUFFIX. */
export const TAP_SUFFIX = "-emu";

/**
 * The nics of a domain: the guest has all of them. The stub domain has those whose card QEMU emulates, with the same
 * address and without an emulated card of its own (libxl gives it the others too, which nothing there would use).
 */
export function nicsOf(role: Role, nics: readonly NicConfig[]): NicConfig[] {
	return role === "guest" ? [...nics] : nics.filter(({ type }) => type === "ioemu").map(stubNic);
}

/**
 * The stub domain's interface has the guest's name with TAP_SUFFIX, as libxl has it; netback's own where that is longer
 * than an interface's name may be.
 */
function stubNic({ interfaceName, ...nic }: NicConfig): NicConfig {
	const name = interfaceName === undefined ? undefined : `${interfaceName}${TAP_SUFFIX}`;
	return { ...nic, type: "vif", ...(name !== undefined && name.length <= LONGEST_NAME && { interfaceName: name }) };
}

/** netback's name of an interface until it is renamed (drivers/net/xen-netback/interface.c: xenvif_alloc). */
export const netbackName = (domid: DomId, devid: number): string => `vif${domid}.${devid}`;

/** The frontend's half (libxl: libxl__set_xenstore_nic). Nothing but its state is the domain's to change. */
export function vifFrontend(domid: DomId, { devid, mac, mtu = DEFAULT_MTU, trusted = true }: NicConfig): NodeTree {
	const fixed = { handle: devid, mac, mtu, trusted: trusted ? 1 : 0 };
	return frontend(domid, backendPath(domid, "vif", devid), { state: XENBUS_STATE.initialising }, fixed);
}

/**
 * The backend's half. `hotplug-status` becomes "connected" when the interface is set up: until then netback does not
 * connect. netback wants a `script` and runs none; a nic that is set up without one has an empty text there.
 */
export function vifBackend(domid: DomId, nic: NicConfig): NodeTree {
	const { devid, mac, ip, gatewayDevice, interfaceName, rate, mtu = DEFAULT_MTU, bridge, type, vlan } = nic;
	return {
		children: {
			frontend: frontendPath(domid, "vif", devid),
			"frontend-id": domid,
			online: 1,
			script: nic.script ?? "",
			...(interfaceName !== undefined && { vifname: interfaceName }),
			mac,
			...(ip !== undefined && { ip }),
			...(gatewayDevice !== undefined && { gatewaydev: gatewayDevice }),
			...(rate && { rate: `${rate.bytes},${rate.intervalUs}` }),
			...(mtu !== DEFAULT_MTU && { mtu }),
			...(bridge !== undefined && { bridge }),
			...(vlan !== undefined && { vid: vlan }),
			handle: devid,
			type: type === "ioemu" ? "vif_ioemu" : "vif",
			"hotplug-status": "",
			state: XENBUS_STATE.initialising,
		},
	};
}

/** Where Xen's own tools look for a domain's nics (libxl: libxl__device_generic_add): both ends, and a copy of the backend. */
export function vifRecord(domid: DomId, nic: NicConfig): NodeTree {
	return { children: { ...vifBackend(domid, nic).children, backend: backendPath(domid, "vif", nic.devid) } };
}
