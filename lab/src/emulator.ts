import { access, constants, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type DebianPackages, findRealPathInTree, runProgram } from "@bulkhead/image";

/** A QEMU for this machine, unpacked in the cache: no installation and no root needed. */
export interface Emulator {
	/** Program and first arguments; the machine's own options follow. */
	argv: [string, ...string[]];
	/** Environment it needs on top of ours. */
	env: Record<string, string>;
	version: string;
	accel: "tcg" | "kvm";
}

const PACKAGES = ["qemu-system-x86", "seabios", "ipxe-qemu"] as const;
const LIBRARY_DIRS = ["usr/lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/pulseaudio", "usr/lib"] as const;

/** Debian's QEMU, run through the dynamic linker of its own tree, so that the machine's libraries do not matter. */
export async function openEmulator(debian: DebianPackages): Promise<Emulator> {
	const tree = await debian.unpack(PACKAGES, { dependencies: true });
	const loader = await findRealPathInTree(tree, "/lib64/ld-linux-x86-64.so.2");
	const argv: Emulator["argv"] = [
		join(tree, loader ?? "lib64/ld-linux-x86-64.so.2"),
		"--library-path",
		LIBRARY_DIRS.map((dir) => join(tree, dir)).join(":"),
		join(tree, "usr/bin/qemu-system-x86_64"),
	];
	const env = { QEMU_MODULE_DIR: join(tree, "usr/lib/x86_64-linux-gnu/qemu") };
	const { stdout } = await runProgram([...argv, "--version"], { timeoutMs: 20_000, env: { ...process.env, ...env } });
	argv.push(
		"-L",
		join(tree, "usr/share/qemu"),
		"-L",
		join(tree, "usr/share/seabios"),
		"-L",
		join(tree, "usr/lib/ipxe/qemu"),
	);
	return {
		argv,
		env,
		version: stdout.toString("utf8").match(/version (\S+)/)?.[1] ?? "unknown",
		accel: (await hasNestedVirtualization()) ? "kvm" : "tcg",
	};
}

/** /dev/kvm may open on a machine whose processor cannot virtualize: only the flag tells. */
async function hasNestedVirtualization(): Promise<boolean> {
	const cpuinfo = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
	if (!/^flags\s*:.*\b(svm|vmx)\b/m.test(cpuinfo)) return false;
	return access("/dev/kvm", constants.R_OK | constants.W_OK).then(
		() => true,
		() => false,
	);
}
