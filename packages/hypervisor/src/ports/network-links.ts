/** A network interface of domain 0 as the kernel shows it. */
export interface NetworkLink {
	/** Whether other interfaces can be joined to it: a Linux bridge. */
	isBridge: boolean;
	/** The bridge that it is a port of. */
	bridge: string | undefined;
	mtu: number;
	isUp: boolean;
}

/**
 * Network interfaces of domain 0: what a hot-plug script would do by forking `ip`. Names are checked here, so that none
 * can lead elsewhere in sysfs.
 */
export interface NetworkLinks {
	/** Undefined when there is no interface of that name. */
	find(name: string): Promise<NetworkLink | undefined>;
	/**
	 * Makes the interface a port of the bridge. It carries frames and no addresses of its own: IPv6 is switched off on
	 * it. One that is a port of that bridge already stays so. @throws HypervisorError EBUSY for a port of another
	 */
	joinBridge(name: string, bridge: string): Promise<void>;
	setMtu(name: string, mtu: number): Promise<void>;
	bringUp(name: string): Promise<void>;
	/** While it is down. @throws HypervisorError EEXIST, EBUSY */
	rename(name: string, newName: string): Promise<void>;
}

/** IFNAMSIZ without the terminator (linux/if.h). */
const LONGEST_NAME = 15;

/** Why an interface cannot be called so, or undefined (linux/net/core/dev.c: dev_valid_name, and % for templates). */
export function linkNameProblem(name: string): string | undefined {
	if (name === "") return "is empty";
	if (Buffer.byteLength(name) > LONGEST_NAME) return `is longer than ${LONGEST_NAME} bytes`;
	if (name === "." || name === "..") return "is no name";
	return /^[\x21-\x7e]+$/.test(name) && !/[/:%]/.test(name) ? undefined : "has characters that no interface may have";
}
