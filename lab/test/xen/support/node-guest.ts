import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleProgram } from "../../../src/bundles.ts";
import type { Lab } from "../../../src/lab.ts";
import { run } from "./dom0.ts";
import { createGuest, type GuestDocument } from "./guests.ts";

const FOLDER = "/tmp/node-guest";
const BUILD_TIMEOUT_MS = 120_000;

const INIT = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
exec </dev/hvc0 >/dev/hvc0 2>&1
/bin/busybox stty raw -echo
export PATH=/bin
exec /bin/node /program.mjs
`;

const CONFIG = `name = "node-guest"
type = "pv"
memory = 640
vcpus = 1
kernel = "/usr/lib/bulkhead/stubdom/vmlinux"
ramdisk = "${FOLDER}/initramfs.cpio"
cmdline = "console=hvc0 rdinit=/init quiet panic=-1"
on_crash = "destroy"
on_reboot = "destroy"
`;

/** dom0's own Node with its libraries, one program and BusyBox: everything is in dom0 already. */
const BUILD = `
set -e
cd "$1" && mkdir -p root/bin root/dev root/proc root/sys root/tmp
cp /usr/bin/node /usr/bin/busybox root/bin/
ln -s busybox root/bin/cat
/lib64/ld-linux-x86-64.so.2 --list /usr/bin/node | grep -o '/[^ ]*' | sort -u | while read -r file; do
	mkdir -p "root/$(dirname "$file")" && cp -L "$file" "root$file"
done
cp program.mjs init root/
chmod 755 root/init
cd root && find . | cpio -o -H newc >../initramfs.cpio 2>/dev/null
cd .. && rm -rf root
`;

/** A PV guest whose only program is the given one, on its console. */
export async function createNodeGuest(lab: Lab, entry: string): Promise<GuestDocument> {
	const folder = await mkdtemp(join(tmpdir(), "bulkhead-node-guest-"));
	try {
		const files = { "program.mjs": await bundleProgram(entry), init: INIT, "guest.cfg": CONFIG };
		for (const [name, content] of Object.entries(files)) {
			await writeFile(join(folder, name), content);
			await lab.put(join(folder, name), `${FOLDER}/${name}`);
		}
	} finally {
		await rm(folder, { recursive: true });
	}
	await lab.run(["sh", "-c", BUILD, "build", FOLDER], { timeoutMs: BUILD_TIMEOUT_MS });
	return createGuest(lab, `${FOLDER}/guest.cfg`);
}

export async function destroyNodeGuest(lab: Lab): Promise<void> {
	await run(lab, ["bulkhead", "destroy", "node-guest"]);
	await lab.exec(["rm", "-rf", FOLDER]);
}
