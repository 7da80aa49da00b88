import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DebianPackages, runProgram } from "@bulkhead/image";
import type { Lab } from "@bulkhead/lab";

const COMPILE_TIMEOUT_MS = 60_000;
const WARNINGS = ["-Wall", "-Wextra", "-Werror"];

export interface XenProgram {
	source: string;
	/** Where the program goes. */
	target: string;
	/** Of Xen's, as the linker calls them. */
	libraries?: readonly string[];
}

/** Compiles one C file against the libraries of the lab's Xen and puts the program into dom0. */
export async function compileForDom0(lab: Lab, { source, target, libraries = [] }: XenProgram): Promise<void> {
	const debian = await DebianPackages.open({ release: lab.describe().release });
	const folder = await mkdtemp(join(tmpdir(), "bulkhead-bench-"));
	try {
		const program = join(folder, "program");
		await compileForXen(debian, { source, target: program, libraries });
		await lab.put(program, target, 0o755);
	} finally {
		await rm(folder, { recursive: true });
	}
}

/** The same against the libraries of Debian's Xen, to a file here. */
export async function compileForXen(
	debian: DebianPackages,
	{ source, target, libraries = [] }: XenProgram,
): Promise<void> {
	const sysroot = await debian.unpack(["libxen-dev"], { dependencies: true });
	const places = [`-I${sysroot}/usr/include`, `-L${sysroot}/usr/lib/x86_64-linux-gnu`, "-Wl,--allow-shlib-undefined"];
	const links = libraries.map((name) => `-l${name}`);
	await runProgram(["gcc", "-O2", ...WARNINGS, "-o", target, source, ...places, ...links], {
		timeoutMs: COMPILE_TIMEOUT_MS,
	});
}
