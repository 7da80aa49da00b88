import type { ChildProcess } from "node:child_process";
import type { PeerName } from "./peers.ts";

export const SERVERS = ["xenstored", "oxenstored"] as const;
export type Server = (typeof SERVERS)[number];

/** Where servers and clients run. */
export interface BenchPlace {
	/** For the report: which Xen, which machine. */
	description: readonly string[];
	/** Units of a case in a round are so many times those of the lab. */
	haste: number;
	versions: Record<PeerName, string>;
	spawn(argv: readonly string[]): ChildProcess;
	/** How a client is started, for a socket and a directory of its own in the store. */
	startPeer: Record<PeerName, (socket: string, root: string) => string[]>;
	/** Gives the path of the server's socket to `act`, as long as that runs. */
	withServer<T>(server: Server, act: (socket: string) => Promise<T>): Promise<T>;
	/** Leaves nothing behind. */
	close(): Promise<void>;
}
