import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HostEvent } from "@bulkhead/api/client";
import { describe, expect, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

const ELF_CORE = /^7f454c46020101[0-9a-f]{18}0400/;

const headOf = async (file: string): Promise<string> => (await readFile(file)).subarray(0, 18).toString("hex");

/** Follows the events of a guest until it is told to stop. */
function follow(world: SimWorld, guest: string): { events: HostEvent[]; stop(): Promise<void> } {
	const events: HostEvent[] = [];
	const end = new AbortController();
	const following = (async () => {
		for await (const event of world.client.events(guest, end.signal)) events.push(event);
	})();
	return {
		events,
		stop: async () => {
			end.abort();
			await following;
		},
	};
}

async function crash(world: SimWorld, name: string): Promise<void> {
	const guest = await world.find(name);
	const domain = world.simulated.host.find((guest?.domid ?? -1) as never);
	if (domain) world.simulated.host.shutDown(domain, "crash");
}

describe("cores of guests", () => {
	test("one is kept when the guest crashes, and the guest goes or is started again", async () => {
		const world = await SimWorld.start();
		const dumps = join(world.directory, "dumps");
		await world.create(world.pv("web", 'on_crash="coredump-restart"'));
		const first = await world.find("web");
		const followed = follow(world, "web");
		await world.eventually("the first event", () => followed.events.length > 0 || undefined);
		await crash(world, "web");
		await world.eventually("the guest to be back", async () => {
			const found = await world.find("web");
			return (found?.phase === "running" && found.domid !== first?.domid) || undefined;
		});
		const [core = ""] = await readdir(dumps);
		expect(core).toMatch(/^web\.\d{8}T\d{6}Z\.core$/);
		expect(await headOf(join(dumps, core))).toMatch(ELF_CORE);
		expect((await stat(join(dumps, core))).mode & 0o777).toBe(0o600);
		expect((await stat(dumps)).mode & 0o777).toBe(0o700);
		expect(followed.events).toContainEqual(
			expect.objectContaining({ type: "core-dumped", path: join(dumps, core), bytes: expect.any(Number) }),
		);
		await followed.stop();
		await world.client.destroy("web");

		for (let day = 1; day <= 9; day++) await writeFile(join(dumps, `old.2026010${day}T000000Z.core`), "");
		await world.create(world.pv("mail", 'on_crash="coredump-destroy"'));
		await crash(world, "mail");
		await world.eventually("the guest to be gone", async () => (await world.client.guests()).length === 0 || undefined);
		const kept = await readdir(dumps);
		expect(kept).toHaveLength(8);
		expect(kept).not.toContain("old.20260101T000000Z.core");
		expect(kept.some((name) => name.startsWith("mail."))).toBe(true);
	});

	test("a core that cannot be written is told of, and the guest goes all the same", async () => {
		const world = await SimWorld.start();
		await world.create(world.pv("web", 'on_crash="coredump-destroy"'));
		const followed = follow(world, "web");
		await world.eventually("the first event", () => followed.events.length > 0 || undefined);
		world.simulated.host.faults.inject({ call: "domains.dumpCore", errno: "EFAULT" });
		await crash(world, "web");
		await world.eventually("the guest to be gone", async () => (await world.client.guests()).length === 0 || undefined);
		expect(followed.events).toContainEqual(expect.objectContaining({ type: "core-dumped", error: expect.any(String) }));
		expect(await readdir(join(world.directory, "dumps"))).toEqual([]);
		await followed.stop();
	});

	test("one is written by request, of a guest that runs on, never over a file", async () => {
		const world = await SimWorld.start();
		const { domid } = await world.create(world.pv("web"));
		const path = join(world.directory, "web.core");
		const { bytes } = await world.client.dumpCore("web", path);
		expect((await stat(path)).size).toBe(bytes);
		expect(await headOf(path)).toMatch(ELF_CORE);
		expect((await world.find("web"))?.phase).toBe("running");
		expect(world.simulated.host.find(domid as never)?.pauseCount).toBe(0);
		await expect(world.client.dumpCore("web", path)).rejects.toMatchObject({ code: "file-exists" });
		await expect(world.client.dumpCore("web", join(world.directory, "none", "x"))).rejects.toMatchObject({
			code: "dump-failed",
		});
		world.simulated.host.faults.inject({ call: "domains.dumpCore", errno: "EIO" });
		await expect(world.client.dumpCore("web", `${path}.2`)).rejects.toMatchObject({ code: "hypervisor-refused" });
		await expect(stat(`${path}.2`)).rejects.toThrow("ENOENT");
		expect(world.simulated.host.find(domid as never)?.pauseCount).toBe(0);
	});
});

describe("rename-restart", () => {
	test.each(["pv", "hvm"] as const)(
		"keeps the domain of a %s guest without its devices, and starts the guest",
		async (type) => {
			const world = await SimWorld.start();
			const disk = `disk=["${world.images.disk},raw,xvda,w"]`;
			const lines = ['on_crash="rename-restart"', 'vif=["mac=00:16:3e:00:00:01"]', ...(type === "pv" ? [disk] : [])];
			const first = await world.create(world[type]("web", ...lines));
			await crash(world, "web");
			await world.eventually("the guest to be back", async () => {
				const found = await world.find("web");
				return (found?.phase === "running" && found.domid !== first.domid) || undefined;
			});
			const guests = await world.client.guests();
			const kept = guests.find(({ domid }) => domid === first.domid);
			expect(kept?.name).toMatch(/^web-\d{8}T\d{6}Z$/);
			expect(kept).toMatchObject({ phase: "crashed", lastEnd: { reason: "crash" } });
			expect(guests).toHaveLength(2);
			expect(world.tree[`/local/domain/${first.domid}/vm`]).toBe(`/vm/${kept?.uuid}`);
			expect(world.simulated.host.find(first.domid as never)?.uuid).toBe(kept?.uuid);
			expect(
				Object.keys(world.tree).filter((path) => path.startsWith(`/local/domain/${first.domid}/device/v`)),
			).toEqual([]);

			await world.daemon.kill();
			await world.startDaemon();
			await world.client.destroy(kept?.name ?? "");
			// A daemon that was killed before it had written down the restart does it once more.
			await world.eventually(
				"the guest to run",
				async () => (await world.find("web"))?.phase === "running" || undefined,
			);
			await world.client.destroy("web");
			expect(Object.keys(world.tree).filter((path) => /^\/(vm|libxl)\//.test(path))).toEqual([]);
		},
	);
});
