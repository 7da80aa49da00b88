import { DeadlineError, delay } from "@bulkhead/base";
import type { Lab } from "@bulkhead/lab";
import { writeDom0File } from "../create/prepare-dom0.ts";
import { runScript } from "../create/run-script.ts";
import { FOLDER } from "./install-peers.ts";
import { Pair, startClient } from "./open-pair.ts";
import { PAIR_NAMES, PAIRS_AT, type PairName } from "./pairs.ts";
import { RING_SIZE_NAMES, RING_SIZES, type RingSize } from "./ring-sizes.ts";

const NAME = "bench-vchan";
const CONFIG_FILE = `${FOLDER}/guest.cfg`;
const TIMEOUT_MS = 120_000;
const POLL_MS = 500;

const CONFIG = `name = "${NAME}"
type = "pv"
memory = 128
vcpus = 1
kernel = "/usr/lib/bulkhead/stubdom/vmlinux"
ramdisk = "${FOLDER}/initramfs.cpio"
cmdline = "console=hvc0 rdinit=/init quiet panic=-1"
`;

/** The C program with its libraries, which dom0 has, and BusyBox. */
const BUILD = `
set -e
cd "$1"
rm -rf root && mkdir -p root/bin root/dev root/proc root/sys
cp peer /usr/bin/busybox root/bin/
/lib64/ld-linux-x86-64.so.2 --list ./peer | grep -o '/[^ ]*' | sort -u | while read -r file; do
	mkdir -p "root/$(dirname "$file")" && cp -L "$file" "root$file"
done
cp init root/ && chmod 755 root/init
cd root && find . | cpio -o -H newc >../initramfs.cpio 2>/dev/null
cd .. && rm -rf root
`;

/** A PV guest, on the stub domains' kernel, with a C server for each ring size and pair. */
export class ServerGuest {
	readonly #lab: Lab;
	readonly #domid: number;

	private constructor(lab: Lab, domid: number) {
		this.#lab = lab;
		this.#domid = domid;
	}

	/** After the peers are installed. */
	static async create(lab: Lab): Promise<ServerGuest> {
		await writeDom0File(lab, `${FOLDER}/init`, initScript());
		await writeDom0File(lab, CONFIG_FILE, CONFIG);
		await runScript(lab, "build the guest of the vchan's servers", BUILD, [FOLDER], TIMEOUT_MS);
		const created = await lab.run(["bulkhead", "--json", "create", CONFIG_FILE], { timeoutMs: TIMEOUT_MS });
		const { guest } = JSON.parse(created) as { guest: { domid: number } };
		return new ServerGuest(lab, guest.domid);
	}

	static async destroy(lab: Lab): Promise<void> {
		await lab.exec(["bulkhead", "destroy", NAME], { timeoutMs: TIMEOUT_MS });
	}

	async open(name: PairName, size: RingSize): Promise<Pair> {
		const path = `/local/domain/${this.#domid}/${nodesOf(name, size)}`;
		await this.#awaitNode(`${path}/event-channel`);
		return new Pair(await startClient(this.#lab, name, path, this.#domid));
	}

	/** @throws DeadlineError */
	async #awaitNode(path: string): Promise<void> {
		const limit = performance.now() + TIMEOUT_MS;
		while ((await this.#lab.exec(["xenstore-read", path])).exitCode !== 0) {
			if (performance.now() > limit)
				throw new DeadlineError(`Guest ${NAME} has not published ${path} within ${TIMEOUT_MS} ms`, {
					remedy: "Look at the guest's console for what its server says",
				});
			await delay(POLL_MS);
		}
	}
}

/** Below the guest's own directory, where it may write. */
function nodesOf(name: PairName, size: RingSize): string {
	return `data/${size}-${PAIR_NAMES.indexOf(name)}`;
}

function initScript(): string {
	const servers = RING_SIZE_NAMES.flatMap((size) =>
		PAIRS_AT.guest.map((name) => {
			const { left, right } = RING_SIZES[size];
			return `/bin/peer server ${nodesOf(name, size)} ${left} ${right} &`;
		}),
	);
	return `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
exec </dev/hvc0 >/dev/hvc0 2>&1
${servers.join("\n")}
while :; do /bin/busybox sleep 3600; done
`;
}
