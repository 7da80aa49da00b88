import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type ContentCache, type DebianPackages, hashTree, runProgram, writeCpioArchive } from "@bulkhead/image";
import { type DebianKernel, fetchDebianKernel, planModules } from "@bulkhead/stubdom";
import { busyboxEntries } from "./busybox.ts";
import { CHANNEL_SOURCES } from "./channel-files.ts";
import { pseudoRandomBytes } from "./pseudo-random.ts";
import { readSource, sourcePath } from "./source-files.ts";

const MODULES = ["ahci", "sd_mod", "isofs"] as const;
/** For the emulated CD drives, whose controller costs seconds to look at: loaded by the tests that read CDs. */
const CD_MODULES = ["ata_piix", "sr_mod"] as const;
/** For emulated cards and PV nics: loaded by the tests of the network, each what it needs. */
const NETWORK_MODULES = ["8139cp", "e1000", "xen-netfront"] as const;
const BOOT_LOADER_PACKAGES = ["isolinux", "syslinux-common"] as const;
const DATA_BYTES = 4 << 20;
const WRITABLE_BYTES = 1 << 20;
const XORRISO_TIMEOUT_MS = 120_000;

/** Nothing that the guest needs, and each costs a tenth of a second or more under nested emulation. */
const SKIPPED_INITCALLS = [
	"i8042_init",
	"init_kprobe_trace",
	"init_blk_tracer",
	"load_system_certificate_list",
] as const;

const COMMAND_LINE = [
	"console=ttyS0,115200",
	"rdinit=/init",
	"quiet",
	"panic=-1",
	// Without it the kernel takes the emulated disk away in favour of PV drivers.
	"xen_emul_unplug=never",
	// No calibrations against other clocks.
	"tsc=unstable",
	"no_timer_check",
	// Early scans of the PCI bus: thousands of port accesses, each a round trip to the stub domain.
	"pci=noearly",
	"iommu=off",
	"8250.nr_uarts=1",
	"cryptomgr.notests",
	"nokaslr",
	"mitigations=off",
	"audit=0",
	"apparmor=0",
	`initcall_blacklist=${SKIPPED_INITCALLS.join(",")}`,
].join(" ");

export interface LinuxGuest {
	disk: string;
	/** JSON: `diskSha256`, what the guest prints for the data that it reads from its disk. */
	facts: string;
}

/**
 * The Linux guest's disk: an ISO 9660 file system that also boots as a hard disk (isolinux), with kernel, initramfs and
 * 4 MiB of data; and a second partition of 1 MiB to write to.
 */
export async function buildLinuxGuest(debian: DebianPackages, cache: ContentCache): Promise<LinuxGuest> {
	const kernel = await fetchDebianKernel(debian);
	const others = await debian.versions(["busybox-static", ...BOOT_LOADER_PACKAGES]);
	const inputs = {
		format: 2,
		sources: await hashTree([sourcePath("linux"), sourcePath("src/busybox.ts"), ...CHANNEL_SOURCES]),
		kernel: kernel.package.version,
		packages: others.map(({ name, version }) => `${name}=${version}`).join(" "),
		commandLine: COMMAND_LINE,
	};
	const dir = await cache.cached("linux-guest", inputs, (out) => buildInto(out, debian, kernel));
	return { disk: join(dir, "linux.img"), facts: join(dir, "linux.img.json") };
}

async function buildInto(out: string, debian: DebianPackages, kernel: DebianKernel): Promise<void> {
	const root = join(out, "iso");
	await mkdir(join(root, "isolinux"), { recursive: true });
	const loader = await debian.unpack([...BOOT_LOADER_PACKAGES]);
	await copyFile(join(loader, "usr/lib/ISOLINUX/isolinux.bin"), join(root, "isolinux/isolinux.bin"));
	await copyFile(join(loader, "usr/lib/syslinux/modules/bios/ldlinux.c32"), join(root, "isolinux/ldlinux.c32"));
	const config = (await readSource("linux/isolinux.cfg")).replace("@COMMAND_LINE@", COMMAND_LINE);
	await writeFile(join(root, "isolinux/isolinux.cfg"), config);
	await copyFile(kernel.vmlinuzPath, join(root, "vmlinuz"));
	await writeFile(join(root, "initrd"), await buildInitramfs(out, debian, kernel));
	const data = pseudoRandomBytes(2, DATA_BYTES);
	await writeFile(join(root, "data.bin"), data);
	await writeFile(join(out, "writable.img"), Buffer.alloc(WRITABLE_BYTES));
	await writeDisk(out, join(loader, "usr/lib/ISOLINUX/isohdpfx.bin"));
	await rm(root, { recursive: true });
	const facts = { diskSha256: createHash("sha256").update(data).digest("hex"), kernel: kernel.version };
	await writeFile(join(out, "linux.img.json"), `${JSON.stringify(facts)}\n`);
}

async function buildInitramfs(out: string, debian: DebianPackages, kernel: DebianKernel): Promise<Buffer> {
	const archive = join(out, "initrd.cpio");
	const modules = await planModules(kernel.modulesDir, MODULES);
	const all = await planModules(kernel.modulesDir, [...MODULES, ...CD_MODULES]);
	const entries = await busyboxEntries(debian, {
		inittab: await readSource("linux/inittab"),
		start: await readSource("linux/start"),
		console: "/dev/ttyS0",
		prompt: "guest# ",
		modules,
		spareModules: all.filter(({ name }) => !modules.some((module) => module.name === name)),
		furtherModules: await planModules(kernel.modulesDir, NETWORK_MODULES),
	});
	await writeCpioArchive(entries, archive);
	const packed = gzipSync(await readFile(archive), { level: 9 });
	await rm(archive);
	return packed;
}

async function writeDisk(out: string, bootRecord: string): Promise<void> {
	const boot = ["-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat", "-no-emul-boot"];
	const argv = ["-as", "mkisofs", "-quiet", "-o", "linux.img", "-V", "BULKHEAD", "-isohybrid-mbr", bootRecord, ...boot];
	argv.push("-boot-load-size", "4", "-boot-info-table", "-append_partition", "2", "0x83", "writable.img", "iso");
	await runProgram(["xorriso", ...argv], { cwd: out, timeoutMs: XORRISO_TIMEOUT_MS });
}
