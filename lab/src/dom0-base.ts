import { join } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import {
	type ContentCache,
	type CpioEntry,
	elfClosure,
	entriesFromTree,
	findRealPathInTree,
	hashFile,
	hashTree,
	runProgram,
	writeCpioArchive,
} from "@bulkhead/image";
import type { HostPackages } from "./host-packages.ts";
import { DOM0_MODULES, kernelModuleEntries } from "./kernel-modules.ts";

/** Programs that dom0 has at the place where their package has them, instead of busybox's applet of that name. */
const PROGRAMS = [
	"bash",
	"bridge",
	"dash",
	"flock",
	"ip",
	"kmod",
	"losetup",
	"lsblk",
	"nbd-client",
	"nsenter",
	"perl",
	"pgrep",
	"pkill",
	"pmap",
	"prlimit",
	"ps",
	"qemu-img",
	"qemu-nbd",
	"runsv",
	"runsvdir",
	"setpriv",
	"socat",
	"sshd",
	"stat",
	"stdbuf",
	"strace",
	"sv",
	"svlogd",
	"timeout",
	"unshare",
	"xenhypfs",
	"xenpmd",
	"xz",
] as const;

const PROGRAM_DIRS = ["/usr/bin", "/usr/sbin"] as const;

/** Folders and files taken as they are. Absent ones differ between releases and are no error. */
const DATA = [
	"/etc/xen",
	"/usr/bin/xenstore",
	"/usr/lib/grub-xen/grub-x86_64-xen.bin",
	"/usr/lib/ipxe/qemu",
	"/usr/lib/openssh/sshd-session",
	"/usr/lib/openssh/sshd-auth",
	"/usr/lib/x86_64-linux-gnu/qemu",
	"/usr/libexec/coreutils/libstdbuf.so",
	"/usr/libexec/xen-qemu-system-i386",
	"/usr/share/ovmf/OVMF.fd",
	"/usr/share/qemu",
	"/usr/share/qemu-xen",
	"/usr/share/seabios",
] as const;

const LEFT_OUT =
	/^\/usr\/lib\/xen-[^/]*\/lib\/python|^\/usr\/share\/qemu\/(skiboot|slof|opensbi|openbios|hppa|s390|palcode|vof|u-boot|.*\.dtb)|xen-shim/;

const FOLDERS = [
	"/dev",
	"/proc",
	"/sys",
	"/run",
	"/tmp",
	"/mnt",
	"/root",
	"/etc/service",
	"/etc/ssh",
	"/var/lib/xen",
	"/var/lib/xenstored",
	"/var/lib/bulkhead",
	"/var/log/xen/console",
	"/var/log/bulkhead",
	"/usr/lib/bulkhead",
	"/usr/bin",
	"/usr/sbin",
	"/usr/lib64",
] as const;

const LINKS: Readonly<Record<string, string>> = {
	"/bin": "usr/bin",
	"/sbin": "usr/sbin",
	"/lib": "usr/lib",
	"/lib64": "usr/lib64",
	"/var/run": "../run",
	"/var/lock": "../run/lock",
};

const XENSTORE_TOOLS = ["chmod", "exists", "list", "ls", "read", "rm", "watch", "write"] as const;

/** kmod is one program with several names. */
const KMOD_NAMES = ["depmod", "insmod", "lsmod", "modinfo", "modprobe", "rmmod"] as const;

/** dom0's root without anything of this project: an uncompressed archive that changes only with package versions. */
export async function buildDom0Base(
	cache: ContentCache,
	packages: HostPackages,
	nodePath: string,
	onProgress: (line: string) => void,
): Promise<string> {
	const inputs = {
		packages: packages.versions,
		node: await hashFile(nodePath),
		recipe: await hashTree([import.meta.filename, join(import.meta.dirname, "kernel-modules.ts")]),
	};
	const dir = await cache.cached("lab-dom0-base", inputs, async (buildDir) => {
		onProgress("building dom0's base image");
		const entries = await dom0Entries(packages, nodePath, join(buildDir, "modules"));
		await writeCpioArchive(entries, join(buildDir, "base.cpio"));
	});
	return join(dir, "base.cpio");
}

async function dom0Entries(packages: HostPackages, nodePath: string, modulesDir: string): Promise<CpioEntry[]> {
	const { tree } = packages;
	const byPath = new Map<string, CpioEntry>();
	const add = (entries: Iterable<CpioEntry>): void => {
		for (const entry of entries) if (!LEFT_OUT.test(entry.path)) byPath.set(entry.path, entry);
	};
	add(FOLDERS.map((path) => ({ type: "directory", path })));
	add(Object.entries(LINKS).map(([path, target]) => ({ type: "symlink", path, target })));
	const { source: busybox } = await findProgram(tree, "busybox");
	const applets = (await runProgram([busybox, "--list"], { timeoutMs: 10_000 })).stdout
		.toString("utf8")
		.trim()
		.split("\n");
	add(applets.map((name) => ({ type: "symlink", path: `/usr/bin/${name}`, target: "/usr/bin/busybox" })));
	add([{ type: "file", path: "/usr/bin/busybox", mode: 0o755, content: { file: busybox } }]);
	for (const path of DATA) add(await entriesFromTree(tree, path).catch(ignoreMissing));
	const xenDir = `/usr/lib/xen-${packages.xenSeries}`;
	const xenFiles = await entriesFromTree(tree, xenDir);
	add(xenFiles);
	// Debian's names in /usr/sbin are links to a shell script that picks the version: a direct link saves its forks.
	add(
		xenFiles
			.filter(({ path, type }) => type !== "directory" && path.startsWith(`${xenDir}/bin/`))
			.map(({ path }) => ({
				type: "symlink",
				path: `/usr/sbin/${path.slice(xenDir.length + 5)}`,
				target: path,
			})),
	);
	// xl of Debian 12 looks for it there.
	add([{ type: "symlink", path: "/usr/bin/vchan-socket-proxy", target: `${xenDir}/bin/vchan-socket-proxy` }]);
	add(XENSTORE_TOOLS.map((name) => ({ type: "symlink", path: `/usr/bin/xenstore-${name}`, target: "xenstore" })));
	for (const name of PROGRAMS) {
		const { path, source } = await findProgram(tree, name);
		byPath.delete(`/usr/bin/${name}`);
		add([{ type: "file", path, mode: 0o755, content: { file: source } }]);
	}
	// Not busybox's shell: that one prefers its own applets to the programs above.
	add([{ type: "symlink", path: "/usr/bin/sh", target: "dash" }]);
	add(KMOD_NAMES.map((name) => ({ type: "symlink", path: `/usr/bin/${name}`, target: "kmod" })));
	add([{ type: "file", path: "/usr/bin/node", mode: 0o755, content: { file: nodePath } }]);
	add([{ type: "file", path: "/etc/lab-modules", content: `${DOM0_MODULES.join(" ")}\n` }]);
	add(await kernelModuleEntries(packages.kernelTree, packages.kernelRelease, DOM0_MODULES, modulesDir));
	const programs = [...byPath.values()].flatMap((entry) =>
		entry.type === "file" && typeof entry.content === "object" && "file" in entry.content && !entry.path.endsWith(".ko")
			? [entry.content.file]
			: [],
	);
	// The machine's own node may need libraries that no package of ours has; glibc comes from the tree, which is searched first.
	for (const { path, source } of await elfClosure(programs, [tree, "/"])) {
		if (!byPath.has(path)) add([{ type: "file", path, mode: 0o755, content: { file: source } }]);
	}
	return [...byPath.values()];
}

async function findProgram(tree: string, name: string): Promise<{ path: string; source: string }> {
	for (const dir of PROGRAM_DIRS) {
		const real = await findRealPathInTree(tree, `${dir}/${name}`);
		if (real) return { path: `${dir}/${name}`, source: join(tree, real) };
	}
	throw new BulkheadError("program-not-found", `The packages of dom0 have no program ${name}`, { fields: { name } });
}

function ignoreMissing(error: NodeJS.ErrnoException): CpioEntry[] {
	if (error.code !== "ENOENT") throw error;
	return [];
}
