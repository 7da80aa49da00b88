import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram, writeCpioArchive } from "@bulkhead/image";
import type { Lab } from "../../../src/lab.ts";
import { ok } from "../support/dom0.ts";

const SOURCE = join(import.meta.dirname, "evil-qemu.c");
/** Where the stub domain's init finds QEMU (stubdom/init/device-model.c). */
const QEMU = "/usr/libexec/xen-qemu-system-i386";
const RAMDISK = "/usr/lib/bulkhead/stubdom/rootfs.cpio";

/** The stub domain's own ramdisk with evil-qemu.c in QEMU's place, as a file in dom0: a later archive's files win. */
export async function installEvilRamdisk(lab: Lab, path: string): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), "evil-qemu-"));
	try {
		const program = join(folder, "evil-qemu");
		await runProgram(["gcc", "-static", "-Os", "-Wall", "-Werror", "-o", program, SOURCE], { timeoutMs: 60_000 });
		const archive = join(folder, "evil.cpio");
		const entry = { type: "file", path: QEMU, mode: 0o755, content: { file: program } } as const;
		await writeCpioArchive([entry], archive);
		await lab.put(archive, `${path}.more`);
	} finally {
		await rm(folder, { recursive: true });
	}
	await ok(lab, ["sh", "-c", `cat ${RAMDISK} ${path}.more > ${path} && rm ${path}.more`]);
}
