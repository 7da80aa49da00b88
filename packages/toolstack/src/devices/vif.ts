import { DOM0, type DomId } from "@bulkhead/base";
import type { NicConfig } from "@bulkhead/xlcfg";
import type { NodeTree } from "../domain/node-tree.ts";
import type { Role } from "../steps.ts";
import { recordOf } from "./record.ts";
import { frontend, XENBUS_STATE } from "./xenbus.ts";
import { type XenbusDevice, xenbusPaths } from "./xenbus-device.ts";

const DEFAULT_MTU = 1500;
/** IFNAMSIZ without the terminator. */
const LONGEST_NAME = 15;
/** libxl's TAP_DEVICE_SUFFIX. */
export const TAP_SUFFIX = "-emu";

/** A nic as the host serves it: bridge, MTU and script are filled in, its backend's domain is known. */
export interface ServableNic extends NicConfig {
	/** Undefined: domain 0. */
	backendDomid?: DomId;
}

export const vifDevice = (
	domid: DomId,
	{ devid, backendDomid }: Pick<ServableNic, "devid" | "backendDomid">,
): XenbusDevice => ({ domid, kind: "vif", devid, ...(backendDomid !== undefined && { backendDomid }) });

/**
 * The nics of a domain: the guest has all of them. The stub domain has those whose card QEMU emulates, with the same
 * address and without an emulated card of its own (libxl gives it the others too, which nothing there would use).
 */
export function nicsOf(role: Role, nics: readonly ServableNic[]): ServableNic[] {
	return role === "guest" ? [...nics] : nics.filter(({ type }) => type === "ioemu").map(stubNic);
}

/**
 * The stub domain's interface has the guest's name with TAP_SUFFIX, as libxl has it; netback's own where that is longer
 * than an interface's name may be.
 */
function stubNic({ interfaceName, ...nic }: ServableNic): ServableNic {
	const name = interfaceName === undefined ? undefined : `${interfaceName}${TAP_SUFFIX}`;
	return { ...nic, type: "vif", ...(name !== undefined && name.length <= LONGEST_NAME && { interfaceName: name }) };
}

/** netback's name of an interface until it is renamed (drivers/net/xen-netback/interface.c: xenvif_alloc). */
export const netbackName = (domid: DomId, devid: number): string => `vif${domid}.${devid}`;

/** The frontend's half (libxl: libxl__set_xenstore_nic). Nothing but its state is the domain's to change. */
export function vifFrontend(domid: DomId, nic: ServableNic): NodeTree {
	const { devid, mac, mtu = DEFAULT_MTU, trusted = true, backendDomid = DOM0 } = nic;
	const fixed = { handle: devid, mac, mtu, trusted: trusted ? 1 : 0 };
	const { backend } = xenbusPaths(vifDevice(domid, nic));
	return frontend(domid, backend, { state: XENBUS_STATE.initialising }, fixed, backendDomid);
}

/**
 * The backend's half. `hotplug-status` becomes "connected" when the interface is set up: until then netback does not
 * connect. netback wants a `script` and runs none; a nic that is set up without one has an empty text there.
 */
export function vifBackend(domid: DomId, nic: ServableNic): NodeTree {
	const { devid, mac, ip, gatewayDevice, interfaceName, rate, mtu = DEFAULT_MTU, bridge, type, vlan } = nic;
	return {
		children: {
			frontend: xenbusPaths(vifDevice(domid, nic)).frontend,
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

/** @see recordOf */
export const vifRecord = (domid: DomId, nic: ServableNic): NodeTree =>
	recordOf(vifDevice(domid, nic), vifBackend(domid, nic));
