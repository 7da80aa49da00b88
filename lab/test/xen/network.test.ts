import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bulkhead, eventually, ok, run, useLab } from "./support/dom0.ts";
import { createGuest, createRefused, type GuestDocument, PV, TINY } from "./support/guests.ts";
import { leaveNothing } from "./support/leave-nothing.ts";
import { BOOT_MS, FIRST, GuestShell, MAC, NO_ROMS, OTHER, openNetwork, portsOf, SECOND } from "./support/network.ts";

const THIRD = "00:16:3e:01:02:05";

interface Nic {
	devid: number;
	mac: string;
	state: number;
}

describe("network interfaces", () => {
	const the = useLab();
	let network: Awaited<ReturnType<typeof openNetwork>>;

	beforeAll(async () => {
		network = await openNetwork(the.lab, [FIRST, SECOND]);
	});
	leaveNothing(the);
	afterAll(() => network?.close());

	const shellOf = (guest: GuestDocument, label: string): Promise<GuestShell> =>
		GuestShell.open(the.lab, guest, label, BOOT_MS);

	it("a PV guest has one from the start, gets another, and gives it back", async () => {
		const guest = await createGuest(the.lab, PV, `vif=["mac=${MAC}"]`);
		const shell = await shellOf(guest, "pv");
		expect(await shell.fetch("eth0", FIRST)).toBe(network.sum);
		await ok(the.lab, ["bulkhead", "network-attach", "pv", `mac=${OTHER}`, `bridge=${SECOND.name}`]);
		const connected = await eventually("the new nic to be connected", async () => {
			const nics = await bulkhead<Nic[]>(the.lab, "network-list", "pv");
			return nics.length === 2 && nics.every(({ state }) => state === 4) ? nics : undefined;
		});
		expect(connected.map(({ devid, mac }) => [devid, mac])).toEqual([
			[0, MAC],
			[1, OTHER],
		]);
		expect(await shell.fetch("eth1", SECOND)).toBe(network.sum);
		// Xen's own tool sees the same, but for event channels: it does not know that netfront has two of them.
		const ours = tableOf(await ok(the.lab, ["bulkhead", "network-list", "pv"]));
		expect(ours).toEqual(tableOf(await ok(the.lab, ["xl", "network-list", "pv"])));
		const detached = await bulkhead(the.lab, "network-detach", "pv", OTHER);
		expect(detached).toMatchObject({ forced: false, complaints: [], nic: { devid: 1 } });
		expect(await shell.run("ls /sys/class/net")).not.toContain("eth1");
		expect(await portsOf(the.lab, SECOND.name)).toEqual([]);
		expect(await shell.fetch("eth0", FIRST)).toBe(network.sum);
		shell.close();
	});

	it("a guest keeps a nic that it was given over a restart of the daemon and a reboot", async () => {
		const first = await createGuest(the.lab, PV);
		(await shellOf(first, "pv")).close();
		await ok(the.lab, ["bulkhead", "network-attach", "pv", `mac=${THIRD}`]);
		await ok(the.lab, ["sv", "restart", "/etc/service/bulkheadd"]);
		await eventually("the daemon", async () => (await run(the.lab, ["bulkhead", "list"])).exitCode === 0 || undefined);
		await ok(the.lab, ["bulkhead", "reboot", "pv"]);
		const second = await eventually(
			"the guest to be back",
			async () => {
				const [found] = await bulkhead<GuestDocument[]>(the.lab, "list");
				return found?.phase === "running" && found.domid !== first.domid ? found : undefined;
			},
			90_000,
		);
		const shell = await shellOf(second, "pv");
		expect(await shell.fetch("eth0", FIRST)).toBe(network.sum);
		shell.close();
	});

	it("a guest without a driver loses its nic by force, and Xen's own script sets one up", async () => {
		const guest = await createGuest(the.lab, TINY, `vif=["mac=${MAC},script=vif-bridge"]`, NO_ROMS);
		const names = [`vif${guest.domid}.0`, `vif${guest.stub?.domid}.0`].toSorted();
		expect(await portsOf(the.lab, FIRST.name)).toEqual(names);
		const detached = await bulkhead(the.lab, "network-detach", "tiny", "0", "--force");
		expect(detached).toMatchObject({ forced: true });
		expect(await portsOf(the.lab, FIRST.name)).toEqual([]);
	});

	it("a bridge or a script that is missing is told before anything is made", async () => {
		const bridge = await createRefused(the.lab, PV, 'vif=["bridge=xenbr9"]');
		expect(bridge).toMatchObject({ exitCode: 4, error: { code: "nic-unusable", fields: { bridge: "xenbr9" } } });
		const script = await createRefused(the.lab, PV, 'vif=["script=vif-nowhere"]');
		expect(script).toMatchObject({ exitCode: 4, error: { code: "file-unusable" } });
		expect(script.error.message).toContain("/etc/xen/scripts/vif-nowhere");
	});
});

/** The header, and the rows' cells without the event channel. */
function tableOf(text: string): string[][] {
	const [header = "", ...rows] = text.trimEnd().split("\n");
	return [
		[header.trimEnd()],
		...rows.map((row) =>
			row
				.trim()
				.split(/\s+/)
				.filter((_, cell) => cell !== 5),
		),
	];
}
