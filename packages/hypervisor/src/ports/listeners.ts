import type { Server } from "node:net";

/** Where a listening socket is bound. A unix socket has this mode and owner before anybody can connect to it. */
export type ListenerPlace =
	| { path: string; mode: number; uid: number; gid: number }
	| { /** Of IPv4 or IPv6. */ address: string; port: number };

/** A listening socket that nobody accepts from here. Who connects waits until the process that it is handed to does. */
export interface HeldListener {
	/**
	 * Gives it to the process that has this inbox too, under a name that it will ask for: soon, as an inbox that is not
	 * looked into takes ten (unix(7): max_dgram_qlen). May be repeated. @throws HypervisorError EAGAIN, ECONNREFUSED
	 */
	handTo(inbox: string, token: string): void;
	/** Lets go of it: it lives on where it was handed to. A unix socket's file stays. Idempotent. */
	close(): void;
}

/** Makes listening sockets with privilege, for processes that have none. */
export interface Listeners {
	/** @throws HypervisorError EADDRINUSE when something lies at that path, or somebody has that port */
	listen(place: ListenerPlace): HeldListener;
}

/** A listening socket that was handed over: one of the two is done with it. */
export interface HandedListener {
	/** The server accepts from it, and closes it when it is closed itself. Errors are the server's events. */
	serve(server: Server): void;
	/** Idempotent. */
	close(): void;
}

/** Where a process is handed listening sockets: a unix datagram socket that only its own user and root may write to. */
export interface ListenerInbox {
	/** What has come under that name, once. */
	take(token: string): HandedListener | undefined;
	/** Closes it and what nobody has taken. Its file stays. Idempotent. */
	close(): void;
}

/** Most that an inbox keeps for who has not asked yet; then the oldest goes. */
export const MOST_UNTAKEN = 64;
