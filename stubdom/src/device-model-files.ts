import { access } from "node:fs/promises";
import { join } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import { type ContentCache, type CpioEntry, elfClosure } from "@bulkhead/image";
import { buildSpiceStandIn } from "./spice-stand-in.ts";

/** Where Debian's qemu-system-xen has its program. */
export const QEMU_PATH = "/usr/libexec/xen-qemu-system-i386";

/**
 * Data that QEMU opens for a Xen guest, in the folders it searches: video BIOSes for each `-device` of the vga key, the
 * option ROMs of direct kernel boot, those of the nics (QEMU ends without the one of its nic), the default keymap.
 * The guest's firmware is not among them: the toolstack loads hvmloader and the BIOS into the guest.
 */
const DATA_FILES = [
	"seabios/vgabios-stdvga.bin",
	"seabios/vgabios-cirrus.bin",
	"seabios/vgabios-qxl.bin",
	"qemu/linuxboot.bin",
	"qemu/linuxboot_dma.bin",
	"qemu/kvmvapic.bin",
	"qemu/keymaps/en-us",
] as const;

const NIC_ROMS = ["e1000", "rtl8139", "virtio", "ne2k_pci", "pcnet"].map((nic) => `efi-${nic}.rom`);

/** QEMU, its libraries and its data, taken from the unpacked packages. */
export async function deviceModelEntries(tree: string, cache: ContentCache): Promise<CpioEntry[]> {
	const program = join(tree, QEMU_PATH);
	const standIn = await buildSpiceStandIn(program, cache);
	const libraries = await elfClosure([program], standIn === undefined ? [tree] : [standIn, tree]);
	const data = [
		...DATA_FILES.map((name) => ({ path: `/usr/share/${name}`, source: join(tree, "usr/share", name) })),
		...NIC_ROMS.map((name) => ({ path: `/usr/lib/ipxe/qemu/${name}`, source: join(tree, "usr/lib/ipxe/qemu", name) })),
	];
	for (const { source, path } of data)
		await access(source).catch((cause: unknown) => {
			throw new BulkheadError("data-file-missing", `QEMU's packages have no ${path}`, { cause, fields: { path } });
		});
	const files = [{ path: QEMU_PATH, source: program, mode: 0o755 }, ...libraries, ...data];
	return [
		...["bin", "sbin", "lib", "lib64"].map(
			(name): CpioEntry => ({ type: "symlink", path: name, target: `usr/${name}` }),
		),
		...files.map(({ path, source }): CpioEntry => ({ type: "file", path, mode: 0o755, content: { file: source } })),
	];
}
