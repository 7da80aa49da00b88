import { elfKernel, note } from "../elf/elf-kernel.ts";

/**
 * What the tiny PVH kernel writes in the output ring of its console, relative to the ring, before it powers off: enough
 * to prove that start_info, command line and ACPI tables reached it.
 */
export const TINY_PVH_REPORT = {
	ringOffset: 1024,
	/** xencons_interface.out_prod, a u32: 32 when done. */
	producerOffset: 3084,
	length: 32,
	/** Eight bytes of text. */
	greeting: { offset: 0, text: "PVH-HI!!" },
	/** The first eight bytes of the command line. */
	commandLine: 8,
	/** The first eight bytes of what start_info says is the RSDP. */
	rsdp: 16,
	/** Its address, u32. */
	rsdpAddress: 24,
	/** Modules that start_info counts, u32. */
	modules: 28,
} as const;

const BASE = 0x10_0000n;

/**
 * Entered in 32-bit protected mode without paging, with the address of start_info (start_info.h) in ebx. The console
 * page is where libxenguest puts it. Hypercalls go through the hypercall page, whose MSR CPUID tells.
 */
// biome-ignore format: one instruction per line
const CODE = [
	0xbf, 0x00, 0xf0, 0xff, 0xfe, //                         mov edi, 0xfefff000   console page
	0xc7, 0x87, 0x00, 0x04, 0, 0, ...Buffer.from("PVH-"), // mov dword [edi+0x400], …
	0xc7, 0x87, 0x04, 0x04, 0, 0, ...Buffer.from("HI!!"), // mov dword [edi+0x404], …
	0x8b, 0x73, 0x18, //                                     mov esi, [ebx+0x18]   cmdline_paddr
	0x8b, 0x06, //                                           mov eax, [esi]
	0x89, 0x87, 0x08, 0x04, 0, 0, //                         mov [edi+0x408], eax
	0x8b, 0x46, 0x04, //                                     mov eax, [esi+4]
	0x89, 0x87, 0x0c, 0x04, 0, 0, //                         mov [edi+0x40c], eax
	0x8b, 0x73, 0x20, //                                     mov esi, [ebx+0x20]   rsdp_paddr
	0x8b, 0x06, //                                           mov eax, [esi]
	0x89, 0x87, 0x10, 0x04, 0, 0, //                         mov [edi+0x410], eax
	0x8b, 0x46, 0x04, //                                     mov eax, [esi+4]
	0x89, 0x87, 0x14, 0x04, 0, 0, //                         mov [edi+0x414], eax
	0x89, 0xb7, 0x18, 0x04, 0, 0, //                         mov [edi+0x418], esi
	0x8b, 0x43, 0x0c, //                                     mov eax, [ebx+0xc]    nr_modules
	0x89, 0x87, 0x1c, 0x04, 0, 0, //                         mov [edi+0x41c], eax
	0xc7, 0x87, 0x0c, 0x0c, 0, 0, 0x20, 0, 0, 0, //          mov dword [edi+0xc0c], 32  out_prod
	0xb8, 0x02, 0x00, 0x00, 0x40, //                         mov eax, 0x40000002
	0x0f, 0xa2, //                                           cpuid                 ebx: the MSR
	0x89, 0xd9, //                                           mov ecx, ebx
	0xb8, 0x00, 0x10, 0x10, 0x00, //                         mov eax, 0x101000
	0x31, 0xd2, //                                           xor edx, edx
	0x0f, 0x30, //                                           wrmsr                 hypercall page there
	0xbc, 0x00, 0x40, 0x10, 0x00, //                         mov esp, 0x104000
	0x6a, 0x00, //                                           push 0                SHUTDOWN_poweroff
	0x89, 0xe1, //                                           mov ecx, esp
	0xbb, 0x02, 0x00, 0x00, 0x00, //                         mov ebx, 2            SCHEDOP_shutdown
	0xb8, 0xa0, 0x13, 0x10, 0x00, //                         mov eax, 0x1013a0     entry of sched_op, 29
	0xff, 0xd0, //                                           call eax
	0xeb, 0xfe, //                                           jmp here
];

/** An ELF file for the PVH builder. */
export function tinyPvhKernel(): Uint8Array {
	const entry = Buffer.alloc(4);
	entry.writeUInt32LE(Number(BASE));
	const notes = [
		note(6, Buffer.from("tiny\0")), // GUEST_OS
		note(18, entry), // PHYS32_ENTRY
	];
	return elfKernel({ virtual: BASE, physical: BASE, code: Uint8Array.from(CODE), notes });
}

/** Whether this code is the tiny kernel's: for an engine that recognises code and runs none. */
export const isTinyPvhKernel = (code: Uint8Array): boolean => CODE.every((byte, at) => code[at] === byte);
