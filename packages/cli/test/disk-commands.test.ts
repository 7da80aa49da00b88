import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapturedIo, run } from "./captured-io.ts";
import { FakeDaemon } from "./fake-daemon.ts";

const DISK = {
	vdev: "xvdb",
	devid: 51728,
	path: "/srv/data.img",
	format: "raw",
	readOnly: false,
	cdrom: false,
	domid: 5,
	backendDomid: 0,
	backendPath: "/local/domain/0/backend/vbd/5/51728",
	state: 4,
	eventChannel: 12,
	ringRef: 8,
};

let daemon: FakeDaemon;
let io: CapturedIo;
const bulkhead = (...args: string[]): ReturnType<typeof run> => run(io, daemon.socketPath, ...args);

beforeEach(async () => {
	io = new CapturedIo();
	daemon = await FakeDaemon.open();
});
afterEach(() => daemon[Symbol.asyncDispose]());

describe("bulkhead", () => {
	it("block-list has xl's columns, and dashes for a drive without a device", async () => {
		const empty = { ...DISK, vdev: "hdc", devid: 5632, state: undefined, eventChannel: undefined, ringRef: undefined };
		daemon.json("GET /guests/web/disks", [DISK, empty]);
		expect((await bulkhead("block-list", "web")).out).toBe(
			"Vdev  BE  handle state evt-ch ring-ref BE-path\n" +
				"51728 0   5      4     12     8        /local/domain/0/backend/vbd/5/51728\n" +
				"5632  0   5      -     -      -        /local/domain/0/backend/vbd/5/51728\n",
		);
	});

	it("block-list --json is what the daemon says", async () => {
		daemon.json("GET /guests/web/disks", [DISK]);
		expect(JSON.parse((await bulkhead("--json", "block-list", "web")).out)).toEqual([DISK]);
	});

	it("block-attach joins the parts of a specification, and prints warnings apart", async () => {
		daemon.json("POST /guests/web/disks", { disk: DISK, warnings: ["odd \u001b"] });
		const { out, err } = await bulkhead("block-attach", "web", "/srv/data.img", "raw", "xvdb", "w");
		expect(out).toBe("xvdb attached to web\n");
		expect(err).toBe("bulkhead: warning: odd \\u{1b}\n");
		expect(daemon.seen[0]?.body).toEqual({ spec: "/srv/data.img,raw,xvdb,w", baseDir: process.cwd() });
	});

	it("block-detach asks the guest, or not", async () => {
		for (const path of ["/guests/web/disks/xvdb", "/guests/web/disks/xvdb?force=1"])
			daemon.json(`DELETE ${path}`, { disk: DISK, warnings: [] });
		expect((await bulkhead("block-detach", "web", "xvdb")).out).toBe("xvdb detached from web\n");
		await bulkhead("block-detach", "--force", "web", "xvdb");
		expect(daemon.seen.map(({ path }) => path)).toEqual(["/guests/web/disks/xvdb", "/guests/web/disks/xvdb?force=1"]);
	});

	it("cd-insert gives an absolute path, cd-eject none", async () => {
		daemon.json("POST /guests/web/disks/hdc/medium", { disk: { ...DISK, vdev: "hdc" }, warnings: [] });
		expect((await bulkhead("cd-insert", "web", "hdc", "/srv/../a.iso")).out).toBe("/a.iso is in hdc of web\n");
		io.out = "";
		expect((await bulkhead("cd-eject", "web", "hdc")).out).toBe("hdc of web is empty\n");
		expect(daemon.seen.map(({ body }) => body)).toEqual([{ path: "/a.iso" }, {}]);
	});
});
