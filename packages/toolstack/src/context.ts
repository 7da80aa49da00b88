import type { DomId, EvtchnPort, GrantRef, Uuid } from "@bulkhead/base";
import type { HeldListener, Hypervisor } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { ChannelTls, GuestConfig } from "@bulkhead/xlcfg";
import type { HeldDisk } from "./devices/open-disk.ts";
import type { GuestRuntime } from "./runtime.ts";
import type { ScreenPolicy } from "./screen/screen-policy.ts";

/** What the toolstack asks of the process that serves rings: implemented over the relay's control socket. */
export interface RingServices {
	/** Serves a console's ring. Idempotent; a new ring for the same label replaces the old one. */
	attachConsole(request: {
		guest: Uuid;
		label: string;
		domid: DomId;
		index: number;
		gref: GrantRef;
		remotePort: EvtchnPort;
		pty: boolean;
	}): Promise<{ ptyPath?: string }>;
	/** Serves a channel's ring; a new ring for the same name replaces the old one. */
	attachChannel(request: {
		guest: Uuid;
		name: string;
		domid: DomId;
		devid: number;
		gref: GrantRef;
		remotePort: EvtchnPort;
		door: ChannelDoor;
	}): Promise<{ ptyPath?: string }>;
	/** Idempotent. */
	detachChannel(guest: Uuid, name: string): Promise<void>;
	/** The guest's channels that are served now. */
	servedChannels(
		guest: Uuid,
	): Promise<{ name: string; domid: DomId; devid: number; gref: GrantRef; remotePort: EvtchnPort; ptyPath?: string }[]>;
	/** Opens the QMP session over the stub domain's vchan; resolves when QEMU has answered. */
	attachQmp(request: {
		guest: Uuid;
		domid: DomId;
		ringRef: GrantRef;
		remotePort: EvtchnPort;
		timeoutMs: number;
	}): Promise<void>;
	/** Serves a guest's screen; what was served of it before is let go of. */
	attachScreen(request: {
		guest: Uuid;
		/** The stub domain. */
		domid: DomId;
		slots: { ringRef: GrantRef; remotePort: EvtchnPort }[];
		door?: ScreenDoor;
	}): Promise<void>;
	/** Opens the QMP session over the unix socket of a QEMU in domain 0, which is handed to the relay's user. */
	attachQmpSocket(request: { guest: Uuid; path: string; timeoutMs: number }): Promise<void>;
	/**
	 * One command for the guest's QEMU; the answer is QEMU's word, so unchecked. Errors of the connection, of QEMU, of
	 * the deadline.
	 */
	executeQmp(
		guest: Uuid,
		command: string,
		args: Record<string, unknown> | undefined,
		timeoutMs: number,
	): Promise<unknown>;
	/** The last bytes of a console's output, for an error report. Untrusted. */
	tail(guest: Uuid, label: string, maxBytes: number): Promise<Uint8Array>;
	/** Lets go of every ring of the guest; with `purge` its journals and sockets go too. Idempotent. */
	release(guest: Uuid, options: { purge: boolean }): Promise<void>;
}

/** Keys and certificates in PEM. */
export type ChannelKeys = Pick<ChannelTls, "ca" | "cert" | "key" | "serverName">;

/** How the host reaches a channel. */
export type ChannelDoor =
	| { kind: "pty" }
	| { kind: "listen"; listener: HeldListener; tls?: ChannelKeys }
	| { kind: "connect"; host: string; port: number; tls?: ChannelKeys };

/** How viewers reach a screen by TCP. */
export interface ScreenDoor {
	listener: HeldListener;
	/** Where it is bound. */
	address: string;
	port: number;
	password?: string;
	/** In PEM. */
	tls?: { cert: string; key: string };
}

/** Files of one guest on the host, each made by the step that needs it. */
export interface GuestPlaces {
	/** Copies of what a direct kernel boot needs, for the guest's life. */
	bootFolder: string;
	/** Sockets of a QEMU in domain 0. */
	qemuFolder: string;
	/** What a QEMU in domain 0 prints. */
	qemuLog: string;
	/** A folder for each disk image that is served, by virtual device name. */
	imageFolder: string;
	/** Xen's run-time folder, where libxenstat looks for QEMUs. */
	xenRunFolder: string;
}

/** Everything that steps work on. */
export interface ToolstackContext {
	config: GuestConfig;
	runtime: GuestRuntime;
	xenstore: XenstoreClient;
	hypervisor: Hypervisor;
	places: GuestPlaces;
	rings: RingServices;
	/** Disks that this process holds open, by virtual device name. */
	openDisks: Map<string, HeldDisk>;
	/** What is said of viewers on TCP. */
	screenPolicy: ScreenPolicy;
	/** Listening sockets of channels that this process holds, by the channel's name; and the screen's. */
	listeners: Map<string, HeldListener>;
	/** Writes `runtime` down before the next effect. */
	saveRuntime(): Promise<void>;
}
