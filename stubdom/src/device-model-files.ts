import { access, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import { type ContentCache, type CpioEntry, elfClosure } from "@bulkhead/image";
import { buildSpiceStandIn } from "./spice-stand-in.ts";

/** Where Debian's qemu-system-xen has its program. */
export const QEMU_PATH = "/usr/libexec/xen-qemu-system-i386";

/**
 * Data that QEMU opens for a Xen guest, in the folders it searches: video BIOSes for each `-device` of the vga key, the
 * option ROMs of direct kernel boot, those of the nics (QEMU ends without the one of its nic). Every keymap besides: QEMU's
 * VNC ends without the one that `-k` names, and without en-us when nothing does.
 * The guest's firmware is not among them: the toolstack loads hvmloader and the BIOS into the guest.
 */
const DATA_FILES = [
	"vgabios-stdvga.bin",
	"vgabios-cirrus.bin",
	"vgabios-qxl.bin",
	"linuxboot.bin",
	"linuxboot_dma.bin",
	"kvmvapic.bin",
	"efi-e1000.rom",
	"efi-rtl8139.rom",
	"efi-virtio.rom",
	"efi-ne2k_pci.rom",
	"efi-pcnet.rom",
] as const;

/** Where Debian's QEMU looks for them; which package puts what where differs between releases. */
const DATA_DIRS = ["usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"] as const;
const KEYMAPS = "usr/share/qemu/keymaps";

/** QEMU, its libraries and its data, taken from the unpacked packages. */
export async function deviceModelEntries(tree: string, cache: ContentCache): Promise<CpioEntry[]> {
	const program = join(tree, QEMU_PATH);
	const standIn = await buildSpiceStandIn(program, cache);
	const libraries = await elfClosure([program], standIn === undefined ? [tree] : [standIn, tree]);
	const keymaps = (await readdir(join(tree, KEYMAPS))).toSorted().map((name) => `keymaps/${name}`);
	const data = await Promise.all([...DATA_FILES, ...keymaps].map((name) => findData(tree, name)));
	const files = [{ path: QEMU_PATH, source: program, mode: 0o755 }, ...libraries, ...data];
	return [
		...["bin", "sbin", "lib", "lib64"].map(
			(name): CpioEntry => ({ type: "symlink", path: name, target: `usr/${name}` }),
		),
		...files.map(({ path, source }): CpioEntry => ({ type: "file", path, mode: 0o755, content: { file: source } })),
	];
}

async function findData(tree: string, name: string): Promise<{ path: string; source: string }> {
	for (const dir of DATA_DIRS) {
		const source = join(tree, dir, name);
		const there = await access(source).then(
			() => true,
			() => false,
		);
		if (there) return { path: `/${dir}/${name}`, source: await realpath(source) };
	}
	throw new BulkheadError("data-file-missing", `QEMU's packages have no ${name}`, { fields: { name } });
}
