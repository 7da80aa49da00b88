import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { InvalidInputError } from "@bulkhead/base";

/** Everything that a running lab keeps on disk. */
export interface LabPaths {
	dir: string;
	/** Held (flock) by the lab's QEMU for as long as it lives: one lab at a time. */
	machineLock: string;
	/** Held by whoever starts or stops the lab. */
	controlLock: string;
	state: string;
	clientKey: string;
	hostKey: string;
	knownHosts: string;
	sshSocket: string;
	/** bulkheadd's socket in dom0, forwarded: `bulkhead --socket` on this machine drives the lab's host. */
	daemonSocket: string;
	serialSocket: string;
	serialLog: string;
	qemuLog: string;
	initrd: string;
	overlay: string;
}

/** sockaddr_un holds 108 bytes, and ssh appends a suffix of 17 while it creates its socket. */
const LONGEST_SOCKET_PATH = 108 - 1 - 17;

/** Paths below `$XDG_STATE_HOME/bulkhead/lab`, by default `~/.local/state/bulkhead/lab`. */
export function labPaths(env: NodeJS.ProcessEnv = process.env): LabPaths {
	const base =
		env.XDG_STATE_HOME && isAbsolute(env.XDG_STATE_HOME) ? env.XDG_STATE_HOME : join(homedir(), ".local/state");
	const dir = join(base, "bulkhead/lab");
	const sshSocket = join(dir, "ssh.sock");
	if (Buffer.byteLength(sshSocket) > LONGEST_SOCKET_PATH) {
		throw new InvalidInputError(`${dir} is too long for the sockets inside it`, {
			remedy: "Set XDG_STATE_HOME to a shorter path",
		});
	}
	return {
		dir,
		machineLock: join(dir, "machine.lock"),
		controlLock: join(dir, "control.lock"),
		state: join(dir, "lab.json"),
		clientKey: join(dir, "client_key"),
		hostKey: join(dir, "host_key"),
		knownHosts: join(dir, "known_hosts"),
		sshSocket,
		daemonSocket: join(dir, "bulkheadd.sock"),
		serialSocket: join(dir, "serial.sock"),
		serialLog: join(dir, "serial.log"),
		qemuLog: join(dir, "qemu.log"),
		initrd: join(dir, "initrd.cpio"),
		overlay: join(dir, "overlay.cpio"),
	};
}
