import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapturedIo, run } from "./captured-io.ts";
import { FakeDaemon } from "./fake-daemon.ts";

const NIC = "0000:03:00.0";
let daemon: FakeDaemon;
let io: CapturedIo;
const bulkhead = (...args: string[]): ReturnType<typeof run> => run(io, daemon.socketPath, ...args);

beforeEach(async () => {
	io = new CapturedIo();
	daemon = await FakeDaemon.open();
});
afterEach(() => daemon[Symbol.asyncDispose]());

describe("bulkhead", () => {
	it("pci-assignable-list shows what is free, by address or name", async () => {
		const devices = [{ address: NIC, name: "nic" }, { address: "0000:04:00.0", domid: 5 }, { address: "0000:05:00.0" }];
		daemon.json("GET /host/pci", devices);
		expect((await bulkhead("pci-assignable-list")).out).toBe(`${NIC}\n0000:05:00.0\n`);
		io = new CapturedIo();
		expect((await bulkhead("pci-assignable-list", "-n")).out).toBe("nic\n0000:05:00.0\n");
		io = new CapturedIo();
		expect(JSON.parse((await bulkhead("--json", "pci-assignable-list")).out)).toEqual(devices);
	});

	it("takes addresses as lspci prints them, and names", async () => {
		daemon.json("POST /host/pci", { address: NIC });
		daemon.json(`DELETE /host/pci/${encodeURIComponent(NIC)}?rebind=1`, { address: NIC });
		daemon.json("DELETE /host/pci/nic", { address: NIC });
		await bulkhead("pci-assignable-add", "3:0.0", "-n", "nic");
		await bulkhead("pci-assignable-remove", "-r", "03:00.0");
		const { out } = await bulkhead("pci-assignable-remove", "nic");
		expect(daemon.seen[0]?.body).toEqual({ address: NIC, name: "nic" });
		expect(out).toContain(`PCI device ${NIC} can be given to a guest\n`);
		expect(out).toContain(`PCI device ${NIC} is domain 0's again\n`);
		expect((await bulkhead("pci-assignable-add", "03:00.*")).code).not.toBe(0);
	});

	it("attaches, lists and detaches", async () => {
		daemon.json("POST /guests/web/pci", { address: NIC });
		daemon.json("GET /guests/web/pci", [
			{ address: NIC, slot: 6 },
			{ address: "", name: "nic" },
		]);
		daemon.json(`DELETE /guests/web/pci/${encodeURIComponent(NIC)}?force=1`, { address: NIC });
		await bulkhead("pci-attach", "web", "03:00.0", "permissive=1");
		expect(daemon.seen[0]?.body).toEqual({ spec: "03:00.0,permissive=1" });
		await bulkhead("pci-list", "web");
		const { out } = await bulkhead("pci-detach", "--force", "web", "03:00.0");
		expect(out).toContain(`Vdev Device\n06.0 ${NIC}\n-    nic\n`);
		expect(out).toContain(`PCI device ${NIC} detached from web\n`);
	});
});
