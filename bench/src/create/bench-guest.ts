import { DEBIAN_STUB_MEMORY_MIB, RECOMMENDED_STUB_MEMORY_MIB, STUB_KERNEL_COMMAND_LINE } from "@bulkhead/stubdom";

/** Kernel and ramdisk of a stub domain, as files in dom0. */
export interface StubFiles {
	kernel: string;
	ramdisk: string;
	memoryMiB: number;
}

export const BENCH_DIRECTORY = "/run/bulkhead-bench";

/** What Bulkhead starts unless a config says otherwise: an ELF kernel and an uncompressed archive. */
export const FASTEST_FILES: StubFiles = {
	kernel: "/usr/lib/bulkhead/stubdom/vmlinux",
	ramdisk: "/usr/lib/bulkhead/stubdom/rootfs.cpio",
	memoryMiB: RECOMMENDED_STUB_MEMORY_MIB,
};

/** Debian's kernel as it packs it, and the same ramdisk (with modules) as update-initramfs would. */
export const DEBIAN_FILES: StubFiles = {
	kernel: `${BENCH_DIRECTORY}/bzImage`,
	ramdisk: `${BENCH_DIRECTORY}/rootfs.cpio.gz`,
	memoryMiB: DEBIAN_STUB_MEMORY_MIB,
};

export const TINY_IMAGE = "/var/lib/bulkhead/images/tiny.img";

export interface BenchGuest {
	name: string;
	diskPath: string;
	/** Left to the toolstack's own default when absent. */
	stub: StubFiles | undefined;
}

/** The tiny guest's config: xl and bulkhead read the same text. */
export function configText({ name, diskPath, stub }: BenchGuest): string {
	const stubLines = stub && [
		`stubdomain_kernel = "${stub.kernel}"`,
		`stubdomain_ramdisk = "${stub.ramdisk}"`,
		`stubdomain_memory = ${stub.memoryMiB}`,
		`stubdomain_cmdline = "${STUB_KERNEL_COMMAND_LINE}"`,
	];
	return `${[
		`name = "${name}"`,
		'type = "hvm"',
		"memory = 96",
		"vcpus = 1",
		`disk = [ "format=raw,vdev=hda,access=rw,target=${diskPath}" ]`,
		'hdtype = "ahci"',
		'boot = "c"',
		'serial = "pty"',
		'vga = "none"',
		"vnc = 0",
		'device_model_version = "qemu-xen"',
		"device_model_stubdomain_override = 1",
		...(stubLines ?? []),
	].join("\n")}\n`;
}
