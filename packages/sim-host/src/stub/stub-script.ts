import type { FakeQemuOptions } from "@bulkhead/qmp/testing";
import type { VchanSession } from "@bulkhead/vchan";

/** How the next stub domains behave. */
export interface StubScript {
	/** From start to a running QEMU, on the host's clock. */
	bootMs: number;
	/** QEMU does not start; the stub says why. */
	failure?: string;
	/** The stub domain itself ends before it says anything. */
	end?: "crash" | "poweroff";
	/** QEMU runs, and nobody answers on its QMP channel. */
	silentQmp?: boolean;
	/**
	 * Its image is an old one, which offers no screen; or what a viewer finds is this unix socket's VNC server, or what the
	 * function does with it (true: it has dealt with it).
	 */
	screen?: "none" | { socketPath: string } | ((session: VchanSession) => boolean);
	/** How many media that come at run time QEMU refuses before it takes one. */
	refusedMedia?: number;
	/** What a QEMU in wrong hands answers in place of its own: a promise that never settles is never answered. */
	lies?: FakeQemuOptions["handlers"];
}

export const WELL_BEHAVED: StubScript = { bootMs: 0 };
