import { elfKernel, note, u64 } from "../elf/elf-kernel.ts";

/**
 * PV kernels of a few dozen bytes, enough to prove that the builder loaded what it was given and that the guest ran.
 *
 * - `report`: writes 32 bytes into the output ring of its console (TINY_REPORT), sends its console event, powers off.
 * - `idle`: blocks for ever.
 * - `flood`: sends its console event, for ever.
 *
 * ELF64 with Xen's notes (elfnote.h); start_info and the console ring as in xen.h and io/console.h; hypercalls by the
 * `syscall` instruction: sched_op 29, event_channel_op 32.
 */
export type TinyKernelBehaviour = "report" | "idle" | "flood";

/** Where `report` writes in the console page, relative to the page. */
export const TINY_REPORT = {
	/** xencons_interface.out */
	ringOffset: 1024,
	/** xencons_interface.out_prod, a u32: 32 when done. */
	producerOffset: 3084,
	length: 32,
	/** Eight bytes of text. */
	greeting: { offset: 0, text: "PV-HELLO" },
	/** The first eight bytes of the command line. */
	commandLine: 8,
	/** The ramdisk's length, u64. */
	ramdiskLength: 16,
	/** The ramdisk's first eight bytes; untouched without one. */
	ramdiskStart: 24,
} as const;

const VIRT_BASE = 0xffff_ffff_8000_0000n;

// biome-ignore format: one instruction per line
const CODE: Record<TinyKernelBehaviour, readonly number[]> = {
	report: [
		0x48, 0x89, 0xf3, //                                     mov rbx, rsi          start_info
		0x48, 0x8d, 0xbb, 0x00, 0x20, 0x00, 0x00, //             lea rdi, [rbx+0x2000] console page: after xenstore's
		0x48, 0xb8, ...Buffer.from(TINY_REPORT.greeting.text), //mov rax, greeting
		0x48, 0x89, 0x87, 0x00, 0x04, 0x00, 0x00, //             mov [rdi+0x400], rax  out[0]
		0x48, 0x8b, 0x83, 0x80, 0x00, 0x00, 0x00, //             mov rax, [rbx+0x80]   cmd_line
		0x48, 0x89, 0x87, 0x08, 0x04, 0x00, 0x00, //             mov [rdi+0x408], rax
		0x48, 0x8b, 0x43, 0x78, //                               mov rax, [rbx+0x78]   mod_len
		0x48, 0x89, 0x87, 0x10, 0x04, 0x00, 0x00, //             mov [rdi+0x410], rax
		0x48, 0x85, 0xc0, //                                     test rax, rax
		0x74, 0x0e, //                                           jz no_ramdisk
		0x48, 0x8b, 0x43, 0x70, //                               mov rax, [rbx+0x70]   mod_start
		0x48, 0x8b, 0x00, //                                     mov rax, [rax]
		0x48, 0x89, 0x87, 0x18, 0x04, 0x00, 0x00, //             mov [rdi+0x418], rax
		// no_ramdisk:
		0xc7, 0x87, 0x0c, 0x0c, 0x00, 0x00, 0x20, 0, 0, 0, //    mov dword [rdi+0xc0c], 32  out_prod
		0x8b, 0x43, 0x50, //                                     mov eax, [rbx+0x50]   console.domU.evtchn
		0x50, //                                                 push rax
		0x48, 0x89, 0xe6, //                                     mov rsi, rsp
		0xbf, 0x04, 0x00, 0x00, 0x00, //                         mov edi, 4            EVTCHNOP_send
		0xb8, 0x20, 0x00, 0x00, 0x00, //                         mov eax, 32
		0x0f, 0x05, //                                           syscall
		0x6a, 0x00, //                                           push 0                SHUTDOWN_poweroff
		0x48, 0x89, 0xe6, //                                     mov rsi, rsp
		0xbf, 0x02, 0x00, 0x00, 0x00, //                         mov edi, 2            SCHEDOP_shutdown
		0xb8, 0x1d, 0x00, 0x00, 0x00, //                         mov eax, 29
		0x0f, 0x05, //                                           syscall
		0xeb, 0xfe, //                                           jmp here
	],
	idle: [
		0xbf, 0x01, 0x00, 0x00, 0x00, //                         mov edi, 1            SCHEDOP_block
		0x31, 0xf6, //                                           xor esi, esi
		0xb8, 0x1d, 0x00, 0x00, 0x00, //                         mov eax, 29
		0x0f, 0x05, //                                           syscall
		0xeb, 0xf0, //                                           jmp to the start
	],
	flood: [
		0x8b, 0x46, 0x50, //                                     mov eax, [rsi+0x50]   console.domU.evtchn
		0x50, //                                                 push rax
		// again:
		0x48, 0x89, 0xe6, //                                     mov rsi, rsp
		0xbf, 0x04, 0x00, 0x00, 0x00, //                         mov edi, 4            EVTCHNOP_send
		0xb8, 0x20, 0x00, 0x00, 0x00, //                         mov eax, 32
		0x0f, 0x05, //                                           syscall
		0xeb, 0xef, //                                           jmp again
	],
};

/** An ELF file for the builder: one segment of one page at the virtual base, and the notes. */
export function tinyPvKernel(behaviour: TinyKernelBehaviour): Uint8Array {
	const notes = [
		note(6, Buffer.from("tiny\0")), // GUEST_OS
		note(5, Buffer.from("xen-3.0\0")), // XEN_VERSION
		note(8, Buffer.from("generic\0")), // LOADER
		note(3, u64(VIRT_BASE)), // VIRT_BASE
		note(1, u64(VIRT_BASE)), // ENTRY
	];
	// Physical address: the start of guest memory.
	return elfKernel({ virtual: VIRT_BASE, physical: 0n, code: Uint8Array.from(CODE[behaviour]), notes });
}

/** Which of the tiny kernels begins with this code, if one does: for an engine that recognises code and runs none. */
export function tinyPvKernelBehaviour(code: Uint8Array): TinyKernelBehaviour | undefined {
	const behaviours: TinyKernelBehaviour[] = ["report", "idle", "flood"];
	return behaviours.find((behaviour) => CODE[behaviour].every((byte, at) => code[at] === byte));
}
