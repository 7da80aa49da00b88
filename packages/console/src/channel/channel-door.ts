/** How the host reaches a channel: a listening socket, a connection of our own, a pty. Its clients join the ring. */
export interface ChannelDoor {
	/** "/dev/pts/7", of a pty. */
	readonly ptyPath?: string;
	/** Why nobody is: of a connection that we make. */
	readonly trouble?: string | undefined;
	/** Who is connected, and who waits until that one is gone. */
	readonly clients: number;
	/** Clients go. Idempotent. */
	close(): void;
}
