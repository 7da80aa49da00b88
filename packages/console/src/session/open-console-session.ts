import type { Uuid } from "@bulkhead/base";
import type { ReadFrom } from "../backend/console-reader.ts";

export interface OpenConsoleSession {
	/** The relay's framed console socket. */
	socketPath: string;
	guest: Uuid;
	/** The console's label: `serial0`, `stub`, `console`. */
	console: string;
	/** Default "live". */
	from?: ReadFrom;
	/** Whether to type. Default true. */
	input?: boolean;
	/** For the first connection and each later one. Default 5000. */
	connectTimeoutMs?: number;
	/** How long a lost relay may stay away. Default 30000. */
	resumeTimeoutMs?: number;
	/**
	 * Asked when the console has ended: true once it is there again under the same names (its guest has rebooted), and the
	 * session goes on. Default: no console comes back.
	 */
	comesBack?: (reason: string, signal: AbortSignal) => Promise<boolean>;
	signal?: AbortSignal;
}

export interface ConsoleSessionEvents {
	/** The relay is gone; looking for the next one. */
	lost: [];
	resumed: [];
	/** So many bytes of output are missing at this place: no longer in the journal. */
	gap: [bytes: number];
	/** The journal was removed meanwhile: output begins anew. */
	restarted: [];
	/** This client may type from now on, or not any more. */
	writer: [may: boolean];
	/** Input that was not taken: another client types, or the guest's ring was replaced before it arrived. */
	"input-dropped": [bytes: number];
	/** The console has ended and may come back. */
	away: [reason: string];
	returned: [];
	/** The console is over; the stream's end follows. */
	ended: [reason: string];
}
