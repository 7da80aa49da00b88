/** What a confined QEMU may use at most (libxl_linux.c: libxl__local_dm_preexec_restrict); the last one is our own. */
const LIMITS = {
	/** Bytes of a file: its log. Disks are block devices, which this does not concern. */
	fsize: 256 * 1024,
	core: 0,
	msgqueue: 0,
	locks: 0,
	memlock: 0,
	/** Threads and processes of its uid: QEMU's pool has 64 threads. */
	nproc: 256,
} as const;

export interface Command {
	binary: string;
	args: readonly string[];
}

/**
 * A program with resource limits, mounts and System V IPC of its own, that can never gain a privilege by executing
 * another. Util-linux' programs do it and become the program: the process stays one, and keeps its number.
 */
export function confined({ binary, args }: Command): Command {
	const limits = Object.entries(LIMITS).map(([name, value]) => `--${name}=${value}`);
	return {
		binary: "unshare",
		args: [
			...["--mount", "--propagation", "slave", "--ipc", "--"],
			...["prlimit", ...limits, "--"],
			...["setpriv", "--no-new-privs", "--"],
			binary,
			...args,
		],
	};
}
