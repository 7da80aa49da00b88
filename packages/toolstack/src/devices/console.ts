import { type DomId, type EvtchnPort, evtchnPort, type GrantRef, grantRef, type Uuid } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { RingServices } from "../context.ts";
import type { NodeTree } from "../domain/node-tree.ts";
import { backendPath, domainPath, frontendPath } from "../domain/paths.ts";
import { type DomainRuntime, provided } from "../runtime.ts";
import type { ConsoleRequest } from "../steps.ts";
import { frontend, XENBUS_STATE } from "./xenbus.ts";

/** Grant table entry 0 is the page of console 0 (grant_table.h: GNTTAB_RESERVED_CONSOLE). */
export const CONSOLE_0_GREF: GrantRef = grantRef(0);
const FRONTEND_TIMEOUT_MS = 60_000;

/** Console 0 has its ring from the builder; the others are xenbus devices whose frontend allocates one. */
const nodeOf = (domid: DomId, index: number): string =>
	index === 0 ? `${domainPath(domid)}/console` : frontendPath(domid, "console", index);

/**
 * Console 0 (libxl__device_console_add): no xenbus device, so it has no backend. The type "ioemu" keeps xenconsoled's
 * hands off it. `tty` is the one key that other programs (`xl console`) read; no domain may change it.
 */
export function bootConsole({ consolePort, consoleFrame }: DomainRuntime): NodeTree {
	return {
		children: {
			type: "ioemu",
			port: provided(consolePort, "console port"),
			"ring-ref": provided(consoleFrame, "console frame"),
			tty: "",
		},
	};
}

export function consoleFrontend(domid: DomId, index: number): NodeTree {
	return frontend(domid, backendPath(domid, "console", index), { state: XENBUS_STATE.initialising }, { tty: "" });
}

export function consoleBackend(domid: DomId, index: number): NodeTree {
	return {
		children: {
			frontend: frontendPath(domid, "console", index),
			"frontend-id": domid,
			online: 1,
			state: XENBUS_STATE.initWait,
		},
	};
}

export interface AcceptConsole {
	store: XenstoreClient;
	domain: DomainRuntime;
	console: ConsoleRequest;
	signal: AbortSignal;
}

/**
 * The backend's part of a xenbus console's handshake: once the frontend has offered its ring, the console is connected.
 * Linux does not go on to its init before that (xenbus_probe_frontend.c: wait_for_devices). Nobody reads the ring yet.
 */
export async function acceptConsole({ store, domain, console, signal }: AcceptConsole): Promise<void> {
	const domid = provided(domain.domid, "domid");
	const { index, label } = console;
	const offered = [`${XENBUS_STATE.initialised}`, `${XENBUS_STATE.connected}`];
	await store.waitFor(`${nodeOf(domid, index)}/state`, (state) => state !== undefined && offered.includes(state), {
		timeoutMs: FRONTEND_TIMEOUT_MS,
		signal,
		what: `the frontend of console ${label}`,
	});
	await store.write(`${backendPath(domid, "console", index)}/state`, XENBUS_STATE.connected);
}

export interface ConnectConsole {
	store: XenstoreClient;
	rings: RingServices;
	guest: Uuid;
	domain: DomainRuntime;
	console: ConsoleRequest;
}

/** Has the ring served: console 0, or one that has been accepted. Safe to repeat. */
export async function connectConsole({ store, rings, guest, domain, console }: ConnectConsole): Promise<void> {
	const domid = provided(domain.domid, "domid");
	const { index, label, pty } = console;
	const node = nodeOf(domid, index);
	const ring = index === 0 ? bootRing(domain) : await readRing(store, node);
	const { ptyPath } = await rings.attachConsole({ guest, label, domid, index, ...ring, pty });
	if (ptyPath !== undefined) await store.write(`${node}/tty`, ptyPath);
}

interface Ring {
	gref: GrantRef;
	remotePort: EvtchnPort;
}

function bootRing(domain: DomainRuntime): Ring {
	return { gref: CONSOLE_0_GREF, remotePort: provided(domain.consolePort, "console port") };
}

/** The ring's numbers are the domain's own words: checked for range here, and by Xen when they are used. */
async function readRing(store: XenstoreClient, node: string): Promise<Ring> {
	const [ref, port] = await Promise.all([store.readText(`${node}/ring-ref`), store.readText(`${node}/port`)]);
	return { gref: grantRef(ref), remotePort: evtchnPort(port) };
}
