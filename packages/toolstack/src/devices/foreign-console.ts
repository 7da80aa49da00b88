import { type DomId, type EvtchnPort, evtchnPort, type GrantRef } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { domainPath } from "../domain/paths.ts";
import { CONSOLE_0_GREF } from "./console.ts";

export interface ForeignConsole {
	/** Its page is granted as GNTTAB_RESERVED_CONSOLE by whoever built the domain. */
	gref: GrantRef;
	remotePort: EvtchnPort;
	/** The pty that was written down last. */
	tty: string;
}

/** What another toolstack writes of a domain's console 0; the domain itself may only read it. */
export const foreignConsolePath = (domid: DomId): string => `${domainPath(domid)}/console`;

/**
 * Console 0 of a domain that another toolstack made, if it is meant for xenconsoled: libxl says so by the type, older
 * toolstacks by writing none. Undefined while there is none, or when it is somebody else's ("ioemu": a QEMU's, or ours).
 * @throws InvalidInputError when the port is none
 */
export async function findForeignConsole(store: XenstoreClient, domid: DomId): Promise<ForeignConsole | undefined> {
	const path = foreignConsolePath(domid);
	const [type, port, ringRef, tty] = await Promise.all(
		["type", "port", "ring-ref", "tty"].map((key) => store.find(`${path}/${key}`)),
	);
	if (port === undefined || ringRef === undefined) return undefined;
	if (type !== undefined && type !== "xenconsoled") return undefined;
	return { gref: CONSOLE_0_GREF, remotePort: evtchnPort(port), tty: tty ?? "" };
}

/** Where libxl looks for the domain of xenconsoled; absent, it is domain 0. */
const CONSOLE_DOMAIN = "/tool/xenconsoled/domid";

/** Whether rings and ports of consoles are granted to domain 0. */
export async function consolesBelongHere(store: XenstoreClient): Promise<boolean> {
	return ((await store.find(CONSOLE_DOMAIN)) ?? "0") === "0";
}

/** Tells `xl console` where the console is. */
export function publishTty(store: XenstoreClient, domid: DomId, ptyPath: string): Promise<void> {
	return store.write(`${foreignConsolePath(domid)}/tty`, ptyPath);
}
