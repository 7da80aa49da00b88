import type { DomId, EvtchnPort, GrantRef, Uuid } from "@bulkhead/base";

/** A console by name: the toolstack's uuid of the guest and a label of the toolstack's (CONSOLE_LABEL). */
export interface ConsoleName {
	guest: Uuid;
	label: string;
}

export interface AttachConsole extends ConsoleName {
	/** The domain that holds the ring. */
	domid: DomId;
	/** The console's number in that domain (device/console/<index>), 0 … 255. */
	index: number;
	gref: GrantRef;
	remotePort: EvtchnPort;
	/** Also offer a pseudo-terminal. Its path changes when the relay restarts. */
	pty: boolean;
}

export interface ConsolePaths {
	/** "/dev/pts/7" when a pty was asked for. */
	ptyPath?: string;
	/** Raw bytes, for socat. */
	socketPath: string;
	journalPath: string;
}

export interface AttachedConsole extends AttachConsole, ConsolePaths {
	/** Readers connected now, an open pty included. */
	readers: number;
	/** Bytes that the guest has written since the journal began. */
	outputBytes: number;
	/** The guest waits for a reader (or for the disk) before more of its output is taken. */
	blocked: boolean;
}

/** A channel by the toolstack's uuid of its guest and the config's name of the channel (CHANNEL_NAME). */
export interface ChannelName {
	guest: Uuid;
	name: string;
}

/** Contents of files in PEM: the relay opens none. `ca` absent: connecting, whom the host trusts; listening, clients need no certificate. */
export interface ChannelKeys {
	ca?: string;
	cert?: string;
	key?: string;
	/** Connecting: the name that the server's certificate must have, when it is not the host's. */
	serverName?: string;
}

/** How the host reaches a channel. */
export type ChannelDoorPlace =
	| { kind: "pty" }
	/** A listening socket that came into the relay's inbox under this token. */
	| { kind: "listen"; token: string; tls?: ChannelKeys }
	| { kind: "connect"; host: string; port: number; tls?: ChannelKeys };

export interface AttachChannel extends ChannelName {
	/** The guest's own domain, and the channel's number in it (device/console/<devid>). */
	domid: DomId;
	devid: number;
	gref: GrantRef;
	remotePort: EvtchnPort;
	door: ChannelDoorPlace;
}

export interface AttachedChannel extends Omit<AttachChannel, "door"> {
	kind: ChannelDoorPlace["kind"];
	/** "/dev/pts/7" */
	ptyPath?: string;
	/** Connected, those that wait for their turn included. */
	clients: number;
	/** Why the last connection that we made is not there. */
	trouble?: string;
	/** Bytes since it was attached; dropped are those that the guest wrote while nobody was connected. */
	fromGuest: number;
	toGuest: number;
	dropped: number;
}

/** Where a guest's QEMU is spoken to. */
export type QmpPlace =
	| {
			/** The domain that serves the vchan: the stub's. */
			domid: DomId;
			ringRef: GrantRef;
			remotePort: EvtchnPort;
	  }
	| {
			/** Domain 0, where the QEMU is a process. */
			domid: DomId;
			/** Its unix socket: absolute, and the relay may connect to it. */
			path: string;
	  };

export type AttachQmp = QmpPlace & {
	guest: Uuid;
	/** 1 ms … 10 min for all attempts together. */
	greetingTimeoutMs: number;
};

export interface QmpStatus {
	/** From QEMU's greeting: "7.2.19", or "unknown". */
	qemuVersion: string;
	/** query-status' `status`: "running", "prelaunch" … */
	status: string;
}

export type AttachedQmp = QmpPlace & {
	guest: Uuid;
	state: "connecting" | "connected";
	qemuVersion?: string;
	/** Events passed on, and events above the permitted rate or not on the list, which were not. */
	events: number;
	droppedEvents: number;
	/** Connected to the guest's QMP sockets now. */
	clients: number;
};

/** A screen's way for one viewer: a vchan of the stub domain. */
export interface ScreenSlot {
	ringRef: GrantRef;
	remotePort: EvtchnPort;
}

/** A TCP socket on which viewers come, in the relay's inbox under this token. */
export interface ScreenListener {
	token: string;
	/** Where it is bound: for `list` only. */
	address: string;
	port: number;
	/** Viewers must know it; VNC looks at its first 8 bytes. */
	password?: string;
	/** Viewers must speak VeNCrypt. */
	tls?: Required<Pick<ChannelKeys, "cert" | "key">>;
}

export interface AttachScreen {
	guest: Uuid;
	/** The stub domain, which serves the vchans. */
	domid: DomId;
	/** One for each viewer at a time. */
	slots: ScreenSlot[];
	listener?: ScreenListener;
}

export interface AttachedScreen extends Omit<AttachScreen, "listener"> {
	/** RFB without security. */
	socketPath: string;
	/** Who looks now. */
	viewers: number;
	listener?: Pick<ScreenListener, "address" | "port"> & {
		/** What viewers must do first. */
		security: "none" | "password" | "tls" | "tls-and-password";
	};
}

export interface RelayHoldings {
	consoles: AttachedConsole[];
	channels: AttachedChannel[];
	qmps: AttachedQmp[];
	screens: AttachedScreen[];
}

export type Nothing = Record<string, never>;

/**
 * Every request of the control protocol with its parameters and its result. The relay knows nothing of xenstore:
 * whoever attaches a ring has read (and checked) its reference and port.
 */
export interface RelayMethods {
	/** Who is there and what it holds: the first request of a daemon that (re)connects. */
	hello: { params: Nothing; result: RelayHoldings & { version: string; pid: number } };
	/**
	 * Serves a PV console ring. The same tuple again is a question about what exists; another domid, gref or port
	 * replaces the ring (the guest rebooted) and the journal goes on.
	 */
	"attach-console": { params: AttachConsole; result: ConsolePaths };
	/** Takes what is left in the ring, ends the readers, unmaps. Unknown consoles are success. `purge` removes the journal. */
	"detach-console": { params: ConsoleName & { purge: boolean }; result: Nothing };
	/** Serves a channel's ring; another ring of the same name replaces it, and its clients go. */
	"attach-channel": { params: AttachChannel; result: { ptyPath?: string } };
	/** Lets go of the ring; clients go. Unknown channels are success. */
	"detach-channel": { params: ChannelName; result: Nothing };
	/** Opens the vchan of a stub domain's QEMU, or the socket of one in domain 0, and negotiates, again and again with a back-off until the deadline. */
	"attach-qmp": { params: AttachQmp; result: QmpStatus };
	/** Unknown guests are success. */
	"detach-qmp": { params: { guest: Uuid }; result: Nothing };
	/** Serves a guest's screen; what was served of it before is let go of, with its viewers. */
	"attach-screen": { params: AttachScreen; result: { socketPath: string } };
	/** Viewers go. Unknown guests are success. */
	"detach-screen": { params: { guest: Uuid }; result: Nothing };
	/** One command for the guest's QEMU, if the relay's policy allows it. */
	"qmp-execute": {
		params: { guest: Uuid; command: string; arguments?: Record<string, unknown>; timeoutMs: number };
		result: { return?: unknown };
	};
	/** The newest bytes of a console's journal, attached or not: for error reports. `offset` is that of the first byte. */
	tail: { params: ConsoleName & { maxBytes: number }; result: { base64: string; offset: number } };
	/** Detaches and removes everything of a guest. Idempotent. */
	"forget-guest": { params: { guest: Uuid }; result: Nothing };
	/** How late the relay's event loop runs, watched from now on for that long, in milliseconds. */
	"loop-delay": { params: { forMs: number }; result: { medianMs: number; p99Ms: number; mostMs: number } };
	/** Everything, or what belongs to one guest. */
	list: { params: { guest?: Uuid }; result: RelayHoldings };
}

/** What the relay tells unasked. */
export interface RelayNotifications {
	/** The relay gave a ring up: the frontend broke its protocol. */
	"console-ended": ConsoleName & { domid: DomId; reason: string };
	/** The same of a channel. */
	"channel-ended": ChannelName & { domid: DomId; reason: string };
	/** `timestamp`: QEMU's own clock, milliseconds since 1970, absent when it gave none. */
	"qmp-event": { guest: Uuid; event: string; data?: unknown; timestamp?: number };
	/** The session with a guest's QEMU is over; attach again when there is a new one. */
	"qmp-ended": { guest: Uuid; domid: DomId; reason: string };
}

export type RelayMethod = keyof RelayMethods;
export type RelayParams<M extends RelayMethod> = RelayMethods[M]["params"];
/** What a caller gives: the same, brands included. */
export type RelayParamsInput<M extends RelayMethod> = RelayParams<M>;
export type RelayResult<M extends RelayMethod> = RelayMethods[M]["result"];
export type RelayNotificationName = keyof RelayNotifications;
/** One notification, to switch over by `name`. */
export type RelayNotification = {
	[N in RelayNotificationName]: { name: N; params: RelayNotifications[N] };
}[RelayNotificationName];
