import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DebianPackages, runProgram } from "@bulkhead/image";
import type { Lab } from "../../../src/lab.ts";

const SOURCE = join(import.meta.dirname, "vchan-echo.c");
const REMOTE = "/tmp/vchan-echo";

/** Compiles vchan-echo.c with the libxenvchan of the lab's Xen and answers its place in dom0. */
export async function installVchanEcho(lab: Lab): Promise<string> {
	const debian = await DebianPackages.open({ release: lab.describe().release });
	const sysroot = await debian.unpack(["libxen-dev"], { dependencies: true });
	const folder = await mkdtemp(join(tmpdir(), "vchan-echo-"));
	try {
		const program = join(folder, "vchan-echo");
		const include = `-I${sysroot}/usr/include`;
		const libraries = [`-L${sysroot}/usr/lib/x86_64-linux-gnu`, "-lxenvchan", "-Wl,--allow-shlib-undefined"];
		await runProgram(["gcc", "-Os", "-Wall", "-Werror", "-o", program, SOURCE, include, ...libraries], {
			timeoutMs: 60_000,
		});
		await lab.put(program, REMOTE);
		await lab.run(["chmod", "755", REMOTE]);
	} finally {
		await rm(folder, { recursive: true });
	}
	return REMOTE;
}
