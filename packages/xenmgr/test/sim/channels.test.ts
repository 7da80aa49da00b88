import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ChannelClient, dial } from "./dial-channel.ts";
import { expectText, SimWorld } from "./sim-world.ts";

const NAME = "org.example.agent.v1";

const config = (world: SimWorld, ...specs: string[]): string =>
	world.pv("pv", `channel = [${specs.map((spec) => `'${spec}'`).join(", ")}]`);

describe("channels on a simulated host", () => {
	test("a guest has its channels as libxl writes them, from number 1 on, and its agent answers", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const path = join(world.directory, "agent.sock");
		const { domid } = await world.create(
			config(world, `name=${NAME},connection=socket,path=${path}`, `name=b,connection=unix:${path}2?mode=0666`),
		);
		const client = await dial(world, path);
		client.write("question");
		await world.eventually("an answer", () => client.text === "question" || undefined);
		const second = await dial(world, `${path}2`);
		second.write("another");
		await world.eventually("another answer", () => second.text === "another" || undefined);
		const bothConnected = async (): Promise<boolean> =>
			(await world.client.channels("pv")).every(({ state }) => state === 4);
		await world.eventually("both to be connected", async () => (await bothConnected()) || undefined);
		const tree = world.tree;
		const at = (folder: string): object =>
			Object.fromEntries(
				Object.entries(tree).flatMap(([node, value]) =>
					node.startsWith(`${folder}/`) ? [[node.slice(folder.length + 1), value]] : [],
				),
			);
		expect(at(`/local/domain/${domid}/device/console/1`)).toMatchObject({
			backend: `/local/domain/0/backend/console/${domid}/1`,
			"backend-id": "0",
			limit: "1048576",
			name: NAME,
			output: "chardev:libxl-channel1",
			protocol: "vt100",
			state: "4",
			tty: "",
			type: "ioemu",
		});
		const keys = { connection: "socket", frontend: `/local/domain/${domid}/device/console/1`, name: NAME, path };
		expect(at(`/local/domain/0/backend/console/${domid}/1`)).toMatchObject({ ...keys, online: "1", state: "4" });
		expect(at(`/libxl/${domid}/device/console/1`)).toMatchObject(keys);
		expect(await world.client.channels("pv")).toMatchObject([
			{ name: NAME, devid: 1, connection: "socket", socketPath: path, state: 4, traffic: { clients: 1, toGuest: 8 } },
			{ name: "b", devid: 2, socketPath: `${path}2`, state: 4 },
		]);
		await world.client.destroy("pv");
		expect(world.tree).toEqual(before);
		expect(existsSync(path)).toBe(false);
	});

	test.each(["stop", "kill"] as const)(
		"another relay, and another daemon, go on with them, after a %s",
		async (way) => {
			const world = await SimWorld.start();
			const path = join(world.directory, "agent.sock");
			await world.create(config(world, `name=${NAME},connection=socket,path=${path}`));
			const answers = async (): Promise<ChannelClient> => {
				const client = await dial(world, path);
				client.write("again");
				await world.eventually("an answer", () => client.text === "again" || undefined);
				return client;
			};
			const first = await answers();
			world.relay[way]();
			await world.startRelay();
			await world.eventually("the client to be told", () => first.closed || undefined);
			const second = await answers();
			await world.daemon[way]();
			await world.startDaemon();
			// The relay has served on, without a word.
			second.write(", and again");
			await world.eventually("an answer", () => second.text === "again, and again" || undefined);
			second.destroy();
			world.relay[way]();
			await world.startRelay();
			await answers();
		},
	);

	test("come back by themselves when their guest reboots", async () => {
		const world = await SimWorld.start();
		const path = join(world.directory, "agent.sock");
		const guest = await world.create(config(world, `name=${NAME},connection=socket,path=${path}`));
		const first = await dial(world, path);
		const console = await world.console(guest, "pv");
		await expectText(console, "# ");
		console.write("reboot\r");
		await world.eventually("the client to be told", () => first.closed || undefined);
		const second = await dial(world, path);
		second.write("hello again");
		await world.eventually("an answer", () => second.text === "hello again" || undefined);
		expect((await world.find("pv"))?.domid).not.toBe(guest.domid);
	});

	test("one that was attached is there after a reboot, numbered anew; one that was detached is not", async () => {
		const world = await SimWorld.start();
		const at = (name: string): string => join(world.directory, `${name}.sock`);
		const spec = (name: string): string => `name=${name},connection=socket,path=${at(name)}`;
		const first = await world.create(config(world, spec("a"), spec("b")));
		await world.client.detachChannel("pv", "a", { force: false });
		expect((await world.client.attachChannel("pv", spec("c"))).channel.devid).toBe(1);
		expect((await world.client.channels("pv")).map(({ name, devid }) => [name, devid])).toEqual([
			["b", 2],
			["c", 1],
		]);
		await world.client.reboot("pv");
		await world.eventually(
			"the guest to be back",
			async () => (await world.find("pv"))?.domid !== first.domid || undefined,
		);
		const client = await dial(world, at("c"));
		client.write("hello");
		await world.eventually("an answer", () => client.text === "hello" || undefined);
		expect((await world.client.channels("pv")).map(({ name, devid }) => [name, devid])).toEqual([
			["b", 1],
			["c", 2],
		]);
	});

	test("what cannot be is told before anything is made", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const taken = await world.file("taken", "mine");
		const refused = (...specs: string[]): Promise<unknown> =>
			world.create(config(world, ...specs)).catch((error: unknown) => error);
		const eight = Array.from({ length: 8 }, (_, index) => `name=c${index},connection=pty`);
		for (const [specs, code] of [
			[[`name=a,connection=socket,path=${world.directory}/nowhere/x`], "channel-unusable"],
			[[`name=a,connection=socket,path=${taken}`], "channel-unusable"],
			[["name=a,connection=pty,backend=3"], "channel-unusable"],
			[["name=a,connection=unix:/run/x?owner=nobody-of-that-name"], "channel-unusable"],
			[["name=a,connection=tls:10.0.0.1:1?ca=/nowhere.pem"], "file-unusable"],
			[eight, "channel-unusable"],
		] as const)
			expect(await refused(...specs)).toMatchObject({ code });
		expect(world.tree).toEqual(before);
		await world.create(world.pv("pv"));
		const { client } = world;
		await expect(client.attachChannel("pv", `name=a,connection=socket,path=${taken}`)).rejects.toMatchObject({
			code: "channel-unusable",
		});
		await expect(client.detachChannel("pv", "a", { force: false })).rejects.toMatchObject({ code: "no-such-device" });
		expect(await client.channels("pv")).toEqual([]);
	});

	test("two guests cannot have one socket", async () => {
		const world = await SimWorld.start();
		const path = join(world.directory, "agent.sock");
		const spec = `channel = ["name=a,connection=socket,path=${path}"]`;
		await world.create(world.pv("one", spec));
		await dial(world, path);
		await expect(world.create(world.pv("two", spec))).rejects.toMatchObject({ code: "channel-unusable" });
		const client = await dial(world, path);
		expect(client.closed).toBe(false);
	});

	test("a guest that lets its channel come and go without end is served at a pace, and is served in the end", async () => {
		const world = await SimWorld.start();
		const path = join(world.directory, "agent.sock");
		const since = performance.now();
		const { domid } = await world.create(config(world, `name=${NAME},connection=socket,path=${path}`));
		(await dial(world, path)).destroy();
		const { host } = world.simulated.xenstored;
		const frontend = `/local/domain/${domid}/device/console/1`;
		const backend = `/local/domain/0/backend/console/${domid}/1/state`;
		const attached = (): number => world.relayed.filter((line) => line === "Attached a channel").length;
		const shortly = async (holds: () => boolean): Promise<void> => {
			const soon = performance.now() + 50;
			await world.eventually("it, or a while", () => holds() || performance.now() > soon || undefined);
		};
		for (let round = 0; round < 40; round++) {
			// The guest's own driver may be in the middle of its part: then the round is lost.
			host.write(`${frontend}/state`, "6");
			await shortly(() => world.tree[backend] === "2");
			const before = attached();
			host.write(`${frontend}/state`, "3");
			await shortly(() => attached() > before);
		}
		expect(attached()).toBeGreaterThanOrEqual(20);
		expect(attached()).toBeLessThanOrEqual(21 + (performance.now() - since) / 1000);
		host.write(`${frontend}/state`, "3");
		await world.eventually("the backend to serve", () => world.tree[backend] === "4" || undefined);
		const client = await dial(world, path);
		client.write("still there");
		await world.eventually("an answer", () => client.text === "still there" || undefined);
	});

	test("a guest that offers nonsense loses its channel until it begins anew, and nothing else happens", async () => {
		const world = await SimWorld.start();
		const path = join(world.directory, "agent.sock");
		const text = config(world, `name=${NAME},connection=socket,path=${path}`);
		const { domid } = await world.create(text, { paused: true });
		const { host } = world.simulated.xenstored;
		const frontend = `/local/domain/${domid}/device/console/1`;
		const backend = `/local/domain/0/backend/console/${domid}/1`;
		for (const nonsense of ["-1", "4294967296", "../../0", "x".repeat(1000), "999999999"]) {
			host.write(`${frontend}/state`, "1");
			await world.eventually("the backend to wait", () => world.tree[`${backend}/state`] === "2" || undefined);
			host.write(`${frontend}/ring-ref`, nonsense);
			host.write(`${frontend}/port`, "1");
			host.write(`${frontend}/state`, "3");
			await world.eventually("the backend to be closed", () => world.tree[`${backend}/state`] === "6" || undefined);
			expect((await world.client.channels("pv"))[0]?.problem).toBeTruthy();
		}
		// Closed alone is not begun anew; and a driver that only let go finds the backend waiting for it.
		host.write(`${frontend}/state`, "6");
		host.write(`${frontend}/state`, "3");
		host.write(`${frontend}/state`, "1");
		await world.eventually("the backend to wait", () => world.tree[`${backend}/state`] === "2" || undefined);
		host.write(`${frontend}/state`, "6");
		expect((await world.client.detachChannel("pv", NAME, { force: false })).forced).toBe(false);
		await world.client.attachChannel("pv", `name=${NAME},connection=socket,path=${path}`);
		await world.client.unpause("pv");
		const client = await dial(world, path);
		client.write("hello");
		await world.eventually("an answer", () => client.text === "hello" || undefined);
		expect((await world.client.channels("pv"))[0]?.problem).toBeUndefined();
	});
});
