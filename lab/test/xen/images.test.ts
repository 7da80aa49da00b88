import { ApiClient, type HostEvent } from "@bulkhead/api/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { killAndAwaitRestart } from "./support/daemons.ts";
import { bulkhead, eventually, ok, run, useLab } from "./support/dom0.ts";
import { createGuest, createRefused, PV, TINY } from "./support/guests.ts";
import { leaveNothing } from "./support/leave-nothing.ts";
import { GuestShell } from "./support/network.ts";
import { askTiny } from "./support/tiny-guest.ts";

const FOLDER = "/run/images-test";
const IMAGES = "/var/lib/bulkhead/images";
const BYTES = 4 << 20;
const PROMPT_MS = 90_000;

describe("disk images that are not raw", () => {
	const the = useLab();

	const sh = (script: string): Promise<string> => ok(the.lab, ["sh", "-c", `cd ${FOLDER}; ${script}`]);
	const sum = async (file: string): Promise<string> => (await sh(`sha256sum ${file}`)).slice(0, 64);

	beforeAll(async () => {
		await ok(the.lab, ["mkdir", "-p", FOLDER]);
		await sh(`head -c ${BYTES} /dev/urandom > raw
			qemu-img convert -f raw -O qcow2 raw disk.qcow2
			qemu-img convert -f raw -O vpc -o force_size=on raw disk.vhd
			qemu-img convert -f raw -O qcow2 ${IMAGES}/tiny.img tiny.qcow2
			qemu-img create -q -u -f qcow2 -b /etc/shadow -F raw hostile.qcow2 4M
			chgrp bulkhead-image disk.* tiny.qcow2 hostile.qcow2; chmod 660 disk.* tiny.qcow2 hostile.qcow2`);
	});
	leaveNothing(the);
	afterAll(() => run(the.lab, ["rm", "-rf", FOLDER]));

	const servers = async (): Promise<string[]> =>
		(await ok(the.lab, ["sh", "-c", "ps -e -o pid=,user:16=,comm= | grep qemu-nbd || true"]))
			.split("\n")
			.map((line) => line.trim())
			.filter(Boolean);

	it("a VHD at create and a qcow2 at run time are read, written, survive a daemon, and are given back", async () => {
		const guest = await createGuest(the.lab, PV, `disk=["${FOLDER}/disk.vhd,vhd,xvda,w"]`);
		const shell = await GuestShell.open(the.lab, guest, "pv", PROMPT_MS);
		const raw = await sum("raw");
		await eventually("the VHD in the guest", async () => {
			const [disk] = await bulkhead<{ state?: number }[]>(the.lab, "block-list", "pv");
			return disk?.state === 4 || undefined;
		});
		expect((await shell.run("sha256sum /dev/xvda")).slice(0, 64)).toBe(raw);

		await ok(the.lab, ["bulkhead", "block-attach", "pv", `${FOLDER}/disk.qcow2,qcow2,xvdb,w`]);
		await shell.run("n=0; while [ ! -b /dev/xvdb ] && [ $n -lt 100 ]; do usleep 200000; n=$((n+1)); done");
		expect((await shell.run("sha256sum /dev/xvdb")).slice(0, 64)).toBe(raw);
		for (const server of await servers()) expect(server).toMatch(/^\d+ bulkhead-image /);
		expect(await servers()).toHaveLength(2);

		await killAndAwaitRestart(the.lab, "bulkheadd");
		await shell.run("echo written-by-guest | dd of=/dev/xvdb conv=fsync,notrunc bs=512 seek=3 2>/dev/null");
		const written = (await shell.run("sha256sum /dev/xvdb")).slice(0, 64);
		await ok(the.lab, ["bulkhead", "block-detach", "pv", "xvdb"]);
		await sh("qemu-img check -q disk.qcow2 && qemu-img convert -f qcow2 -O raw disk.qcow2 back");
		expect(await sum("back")).toBe(written);
		expect(await sh("dd if=back bs=512 skip=3 count=1 2>/dev/null | head -n 1")).toBe("written-by-guest\n");
		expect(await servers()).toHaveLength(1);

		// A server that dies is told of, and does not keep the guest from being taken away.
		const failure = awaitDiskFailure();
		await ok(the.lab, ["kill", "-9", (await servers())[0]?.split(" ")[0] ?? ""]);
		expect(await failure).toMatchObject({ vdev: "xvda", path: `${FOLDER}/disk.vhd` });
		shell.close();
		await ok(the.lab, ["bulkhead", "destroy", "pv"]);
		expect(await ok(the.lab, ["sh", "-c", "cat /sys/block/nbd*/pid 2>/dev/null | wc -l"])).toBe("0\n");
	});

	it("an image that names another file, is of another format or may not be read is refused, and nothing is left", async () => {
		for (const [disk, why] of [
			["hostile.qcow2,qcow2", /backing file/],
			["disk.vhd,qcow2", /no image of that format/],
		] as const) {
			const { error } = await createRefused(the.lab, PV, `disk=["${FOLDER}/${disk},xvda,w"]`);
			expect(error).toMatchObject({ code: "file-unusable", message: expect.stringMatching(why) });
		}
		await sh("chgrp root disk.qcow2; chmod 600 disk.qcow2");
		const { error } = await createRefused(the.lab, PV, `disk=["${FOLDER}/disk.qcow2,qcow2,xvda,w"]`);
		expect(error.remedy).toContain("chgrp bulkhead-image");
		await sh("chgrp bulkhead-image disk.qcow2; chmod 660 disk.qcow2");
		expect(await servers()).toEqual([]);
	});

	it("an HVM guest boots from a qcow2 through its stub domain", async () => {
		const facts = JSON.parse(await ok(the.lab, ["cat", `${IMAGES}/tiny.img.json`])) as { sum: string };
		const guest = await createGuest(the.lab, TINY, `disk=["${FOLDER}/tiny.qcow2,qcow2,hda,w"]`);
		expect(await askTiny(the.lab, guest, "r", /SUM ([0-9a-f]{8})/)).toBe(facts.sum);
	});

	it("a QEMU in domain 0 has the same block device", async () => {
		await createGuest(the.lab, TINY, `disk=["${FOLDER}/tiny.qcow2,qcow2,hda,w"]`, "device_model_stubdomain_override=0");
		const { return: drives } = await bulkhead<{ return: { inserted?: { file: string } }[] }>(
			the.lab,
			...["qmp", "tiny", "query-block"],
		);
		expect(drives.map(({ inserted }) => inserted?.file)).toContain("/dev/nbd0");
	});

	async function awaitDiskFailure(): Promise<HostEvent> {
		const client = new ApiClient({ socketPath: the.lab.paths.daemonSocket });
		for await (const event of client.events(undefined, AbortSignal.timeout(30_000)))
			if (event.type === "disk-state" && event.state === "failed") return event;
		throw new Error("No disk failed");
	}
});
