/** A pseudo-terminal pair; only the master is held, so that a missing reader can be told (POLLHUP). */
export interface Pty {
	/** Non-blocking, close-on-exec descriptor. The line discipline is raw. */
	readonly masterFd: number;
	/** "/dev/pts/7" */
	readonly path: string;
}

/** Of a descriptor. `hangup` on a master: nobody has the slave open. */
export interface FdConditions {
	readable: boolean;
	writable: boolean;
	hangup: boolean;
}

/** Readiness of a descriptor on the event loop (uv_poll). */
export interface FdPoll {
	/** Which conditions to report; an empty set pauses. */
	watch(conditions: { readable?: boolean; writable?: boolean }): void;
	/** Stops; the descriptor stays open and is the caller's to close. Idempotent. */
	close(): void;
}

/** Kernel services that Node lacks, needed by console backends and by the unprivileged relay. */
export interface HostDevices {
	/** @throws HypervisorError ENOSYS on a host that has no ptys */
	openPty(): Pty;
	/** The conditions right now, without waiting: poll(2) with time-out 0. */
	pollFd(fd: number): FdConditions;
	pollLoop(fd: number, onReady: (ready: FdConditions) => void): FdPoll;
	/** Uid, gid and pid of the process at the other end of a connected unix socket (SO_PEERCRED), by descriptor. */
	peerCredentials(fd: number): { uid: number; gid: number; pid: number };
}

export interface LoopDevice {
	/** "/dev/loop3" */
	readonly path: string;
	/** For a block backend's `physical-device`: "7:3" in hexadecimal. */
	readonly physicalDevice: string;
	/** Drops our own reference: the device lives on while another opener (blkback) has it, then detaches itself (autoclear). */
	release(): void;
}

/** Files as block devices by the loop driver (LOOP_CONFIGURE with LO_FLAGS_AUTOCLEAR). */
export interface LoopDevices {
	attach(path: string, options: { readOnly: boolean }): Promise<LoopDevice>;
}
