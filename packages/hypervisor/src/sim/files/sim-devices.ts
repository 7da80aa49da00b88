import { fstatSync } from "node:fs";
import { errnoOf } from "@bulkhead/base";
import { HypervisorError } from "../../errors.ts";
import type { FdConditions, FdPoll, HostDevices, Pty } from "../../ports/host-devices.ts";
import { attempt } from "../../refusal.ts";
import { checkInteger } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";

/** What a pid is when it cannot be known. */
const NOBODY_KNOWN = 0;

/**
 * What Node can do of HostDevices without an addon. There are no ptys, and none are pretended. A socket's peer is taken
 * for a process of this user: a socket of mode 0600 lets nobody else in, save root.
 */
export class SimDevices implements HostDevices {
	openPty(): Pty {
		throw new HypervisorError("The simulated host has no pseudo-terminals", {
			errno: "ENOSYS",
			remedy: "Use the console's socket, or `bulkhead console`",
		});
	}

	/** A descriptor of Node's own: its streams tell what happens to it, so that it is never seen to hang up here. */
	pollFd(fd: number): FdConditions {
		this.#checkOpen(fd, `Could not poll descriptor ${fd}`);
		return { readable: false, writable: true, hangup: false };
	}

	pollLoop(fd: number): FdPoll {
		const what = `Could not watch descriptor ${fd}`;
		this.#checkOpen(fd, what);
		throw new HypervisorError(what, { errno: "ENOSYS", remedy: "Only ptys are watched, and there are none here" });
	}

	peerCredentials(fd: number): { uid: number; gid: number; pid: number } {
		const what = `Could not tell who is connected to descriptor ${fd}`;
		if (!this.#checkOpen(fd, what).isSocket()) attempt(what, () => raise("getsockopt", "ENOTSOCK"), { fd });
		return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, pid: NOBODY_KNOWN };
	}

	#checkOpen(fd: number, what: string): ReturnType<typeof fstatSync> {
		checkInteger("fd", fd, 0, 0x7fff_ffff);
		return attempt(
			what,
			() => {
				try {
					return fstatSync(fd);
				} catch (error) {
					return raise("fstat", errnoOf(error) ?? "EBADF");
				}
			},
			{ fd },
		);
	}
}

function raise(operation: string, errno: string): never {
	throw new SimFailure(operation, errno);
}
