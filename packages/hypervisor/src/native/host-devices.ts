import type { FdConditions, FdPoll, HostDevices, Pty } from "../ports/host-devices.ts";
import { attempt } from "../refusal.ts";
import type { FdPollAddon, RingsAddon } from "./addon-shapes.ts";

/** Pseudo-terminals, readiness and peer credentials by the kernel's own calls. */
export class NativeHostDevices implements HostDevices {
	readonly #addon: RingsAddon;
	readonly #polls = new Set<FdPollAddon>();

	constructor(addon: RingsAddon) {
		this.#addon = addon;
	}

	openPty(): Pty {
		return attempt("Could not open a pseudo-terminal", () => this.#addon.openPty());
	}

	pollFd(fd: number): FdConditions {
		return attempt(`Could not poll descriptor ${fd}`, () => this.#addon.pollFd(fd), { fd });
	}

	/** Close it before the descriptor. While a condition is watched, it keeps the process alive. */
	pollLoop(fd: number, onReady: (ready: FdConditions) => void): FdPoll {
		const poll = attempt(
			`Could not watch descriptor ${fd}`,
			() => new this.#addon.FdPoll(fd, (readable, writable, hangup) => onReady({ readable, writable, hangup })),
			{ fd },
		);
		this.#polls.add(poll);
		return {
			watch: ({ readable = false, writable = false }) =>
				attempt(`Could not watch descriptor ${fd}`, () => poll.watch(readable, writable), { fd }),
			close: () => {
				this.#polls.delete(poll);
				poll.close();
			},
		};
	}

	peerCredentials(fd: number): { uid: number; gid: number; pid: number } {
		return attempt(`Could not tell who is connected to descriptor ${fd}`, () => this.#addon.peerCredentials(fd), {
			fd,
		});
	}

	close(): void {
		for (const poll of this.#polls) poll.close();
		this.#polls.clear();
	}
}
