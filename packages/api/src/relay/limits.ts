interface RelayLimits {
	/** Longest line in bytes, newline not counted: a QMP reply of 1 MiB and its wrapping must fit. */
	readonly lineBytes: number;
	/** Most that `tail` answers, in bytes before base64. */
	readonly tailBytes: number;
	/** Requests in flight on one connection. */
	readonly requests: number;
}

/** Limits of the relay's control protocol, kept by both ends. */
export const RELAY_LIMITS: RelayLimits = { lineBytes: 2 * 1024 * 1024, tailBytes: 256 * 1024, requests: 256 };

interface RelayPaths {
	readonly runDirectory: string;
	readonly stateDirectory: string;
	readonly controlSocket: string;
	readonly consoleSocket: string;
}

/** Where an installed relay listens and keeps its journals. */
export const RELAY_PATHS: RelayPaths = {
	runDirectory: "/run/bulkhead/relay",
	stateDirectory: "/var/lib/bulkhead-relay",
	controlSocket: "/run/bulkhead/relay/control.sock",
	consoleSocket: "/run/bulkhead/relay/console.sock",
};
