import { DOM0, type DomId } from "@bulkhead/base";
import { domainPath } from "../domain/paths.ts";

/** A xenbus device by its place: which two domains it connects, and its number. */
export interface XenbusDevice {
	/** The domain that uses the device. */
	domid: DomId;
	/** "vbd", "vif" … */
	kind: string;
	devid: number;
	/** The domain that serves it. Default: domain 0. */
	backendDomid?: DomId;
	/** Default: the same as `kind` (a disk may be served by "qdisk"). */
	backendKind?: string;
}

/** Where a device's nodes are. Computed from what we know, never read: a guest may write its `backend` node. */
export interface XenbusPaths {
	frontend: string;
	backend: string;
	/** Where the drivers of both sides say what went wrong (xenbus_client.c: xenbus_va_dev_error). */
	frontendError: string;
	backendError: string;
	/** Up to and without the first path that is everybody's: removed with the device when it leaves them empty. */
	parents: string[];
}

/** libxl: libxl__device_frontend_path, libxl__device_backend_path. */
export function xenbusPaths(device: XenbusDevice): XenbusPaths {
	const { domid, kind, devid, backendDomid = DOM0, backendKind = kind } = device;
	const user = domainPath(domid);
	const server = domainPath(backendDomid);
	return {
		frontend: `${user}/device/${kind}/${devid}`,
		backend: `${server}/backend/${backendKind}/${domid}/${devid}`,
		frontendError: `${user}/error/device/${kind}/${devid}`,
		backendError: `${server}/error/backend/${backendKind}/${domid}/${devid}`,
		parents: [
			`${user}/device/${kind}`,
			`${server}/backend/${backendKind}/${domid}`,
			`${server}/backend/${backendKind}`,
			`${server}/backend`,
			// What another domain says of errors is its own to keep, and it could be in the way of every look at it.
			...(backendDomid === DOM0
				? [
						`${server}/error/backend/${backendKind}/${domid}`,
						`${server}/error/backend/${backendKind}`,
						`${server}/error/backend`,
						`${server}/error`,
					]
				: []),
		],
	};
}

/** Linux's name of the device on its bus of backends. */
export const backendDeviceName = ({ domid, kind, devid, backendKind = kind }: XenbusDevice): string =>
	`${backendKind}-${domid}-${devid}`;

/** For people: "vbd 51712 of domain 5". */
export const deviceTitle = ({ domid, kind, devid }: XenbusDevice): string => `${kind} ${devid} of domain ${domid}`;
