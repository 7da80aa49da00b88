/** One guest that QEMU's nested SVM killed by mistake. */
export interface EmulatorFlake {
	/** Xen's name for the virtual processor: `d5v0`. */
	vcpu: string;
	/** The instruction pointer, inside Xen's own text. */
	rip: string;
}

/**
 * Xen's text, data and modules: XEN_VIRT_START to XEN_VIRT_END of xen/include/asm-x86/config.h. No guest code runs
 * there, so a guest that faults at such an address was given Xen's registers by the emulator.
 */
const XEN_TEXT = { from: 0xffff82d0_40000000n, to: 0xffff82d0_80000000n } as const;

/** How far below the headline Xen prints the registers. */
const DUMP_LINES = 12;

/**
 * Finds the lab's one known emulator fault in Xen's messages (`xl dmesg` or the serial log): "Triple fault" of a guest whose RIP lies in Xen.
 * A triple fault with any other RIP is the guest's (or our) own and is not returned.
 */
export function findEmulatorFlakes(messages: string): EmulatorFlake[] {
	const lines = messages.split("\n");
	return lines.flatMap((line, at) => {
		const vcpu = line.match(/\b(d\d+v\d+)\b.*Triple fault/)?.[1];
		if (vcpu === undefined) return [];
		for (const below of lines.slice(at, at + DUMP_LINES)) {
			const rip = below.match(/RIP:\s+[0-9a-f]{4}:\[<([0-9a-f]{16})>\]/)?.[1];
			if (rip === undefined) continue;
			const address = BigInt(`0x${rip}`);
			return address >= XEN_TEXT.from && address < XEN_TEXT.to ? [{ vcpu, rip }] : [];
		}
		return [];
	});
}
