import { join } from "node:path";
import type { Uuid } from "@bulkhead/base";

interface RelayLimits {
	/** Longest line in bytes, newline not counted: a QMP reply of 1 MiB and its wrapping must fit. */
	readonly lineBytes: number;
	/** Most that `tail` answers, in bytes before base64. */
	readonly tailBytes: number;
	/** Longest key or certificate that is given, in characters. */
	readonly pemBytes: number;
	/** Viewers of one screen at once. */
	readonly screenSlots: number;
	/** Requests in flight on one connection. */
	readonly requests: number;
}

/** Limits of the relay's control protocol, kept by both ends. */
export const RELAY_LIMITS: RelayLimits = {
	lineBytes: 2 * 1024 * 1024,
	tailBytes: 256 * 1024,
	pemBytes: 65_536,
	screenSlots: 8,
	requests: 256,
};

interface RelayPaths {
	readonly runDirectory: string;
	readonly stateDirectory: string;
	readonly controlSocket: string;
	readonly consoleSocket: string;
}

/** The relay's inbox for listening sockets, beside its control socket. */
export const LISTENER_INBOX = "listeners.sock";

/** Where an installed relay listens and keeps its journals. */
export const RELAY_PATHS: RelayPaths = {
	runDirectory: "/run/bulkhead/relay",
	stateDirectory: "/var/lib/bulkhead-relay",
	controlSocket: "/run/bulkhead/relay/control.sock",
	consoleSocket: "/run/bulkhead/relay/console.sock",
};

/** A guest's screen: RFB without security, for root and the relay's user; `runDirectory` is that of the control socket. */
export const screenSocketPath = (runDirectory: string, guest: Uuid): string =>
	join(runDirectory, "guests", guest, "screen.sock");
