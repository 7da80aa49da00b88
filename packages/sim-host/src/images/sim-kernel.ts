import { elfKernel, note, u64 } from "@bulkhead/hypervisor/sim";

/** What the files of a simulated host say of themselves. */
export type SimKernelKind = "linux-guest" | "linux-stub";

const GUEST_OS_PREFIX = "bulkhead-sim:";
const VIRT_BASE = 0xffff_ffff_8000_0000n;
const JUMP_TO_ITSELF = Buffer.from([0xeb, 0xfe]);
/** elfnote.h */
const NOTE = { entry: 1, virtBase: 3, xenVersion: 5, guestOs: 6, loader: 8 } as const;

/** Which simulated program a kernel's GUEST_OS note stands for, if it is one of ours. */
export function simKernelKind(guestOs: string | undefined): SimKernelKind | undefined {
	const kind = guestOs?.startsWith(GUEST_OS_PREFIX) ? guestOs.slice(GUEST_OS_PREFIX.length) : undefined;
	return kind === "linux-guest" || kind === "linux-stub" ? kind : undefined;
}

/**
 * An ELF file with Xen's notes and no code to speak of (it halts): a simulated host knows by GUEST_OS what to do in its
 * place, a real one would load it and see it do nothing.
 */
export function simKernel(kind: SimKernelKind): Uint8Array {
	const notes = [
		note(NOTE.guestOs, text(`${GUEST_OS_PREFIX}${kind}`)),
		note(NOTE.xenVersion, text("xen-3.0")),
		note(NOTE.loader, text("generic")),
		note(NOTE.virtBase, u64(VIRT_BASE)),
		note(NOTE.entry, u64(VIRT_BASE)),
	];
	return elfKernel({ virtual: VIRT_BASE, physical: 0n, code: JUMP_TO_ITSELF, notes });
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`, "latin1");
