import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Guest } from "@bulkhead/api/client";
import { domId } from "@bulkhead/base";
import { RfbViewer } from "@bulkhead/relay/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

/** Away from what somebody may have at VNC's usual places. */
const FIRST_PORT = 20_000 + (process.pid % 400) * 100;
const SCREEN = ['vga="stdvga"', "videoram=16"];

async function look(world: SimWorld, name: string): Promise<RfbViewer> {
	const viewer = await RfbViewer.open({ path: pathOf(await world.client.guest(name)) });
	onTestFinished(() => viewer.close());
	return viewer;
}

function pathOf({ screen }: Guest): string {
	if (screen?.socketPath === undefined) throw new Error(`No screen: ${JSON.stringify(screen)}`);
	return screen.socketPath;
}

async function viewersOf(world: SimWorld, name: string): Promise<number | undefined> {
	return (await world.client.guest(name)).screen?.viewers;
}

describe("screens on a simulated host", () => {
	test("several viewers see one screen and type into it; they are counted, and gone with the guest", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		const guest = await world.create(world.hvm("hvm", ...SCREEN));
		expect(guest.screen).toEqual({ socketPath: expect.any(String) as string, viewers: 0, mostViewers: 4 });
		const path = pathOf(guest);
		expect(statSync(path).mode & 0o777).toBe(0o600);
		const [first, second] = [await look(world, "hvm"), await look(world, "hvm")];
		expect([first.width, first.height, first.name]).toEqual([320, 200, "QEMU (simulated)"]);
		const picture = await first.frame();
		expect(await second.frame()).toEqual(picture);
		first.press(0x41);
		const changed = await second.frame({ changed: true });
		// Blue, green, red of the first square.
		expect([...changed.subarray(0, 4)]).toEqual([0, 0x41, 255, 0]);
		expect(world.simulated.findQemu(domId(guest.domid ?? 0))?.keys).toEqual([0x41]);
		expect(await viewersOf(world, "hvm")).toBe(2);
		first.close();
		await world.eventually("one viewer", async () => (await viewersOf(world, "hvm")) === 1 || undefined);
		await world.client.destroy("hvm");
		await second.ended();
		expect(existsSync(path)).toBe(false);
		expect(world.tree).toEqual(before);
	});

	test("one viewer too many is turned away, and a slot is clean for the next", async () => {
		const world = await SimWorld.start();
		await world.create(world.hvm("hvm", ...SCREEN));
		const viewers = [];
		for (let count = 0; count < 4; count++) viewers.push(await look(world, "hvm"));
		await expect(look(world, "hvm")).rejects.toMatchObject({ code: "protocol-error" });
		expect(world.log).toContain("A viewer too many was turned away");
		for (let round = 0; round < 10; round++) {
			const viewer = viewers.shift();
			// Leaves with a picture on its way.
			viewer?.frame().catch(() => {});
			viewer?.close();
			await world.eventually("a free slot", async () => (await viewersOf(world, "hvm")) === 3 || undefined);
			const next = await look(world, "hvm");
			expect((await next.frame()).length).toBe(4 * 320 * 200);
			viewers.push(next);
		}
	});

	test("vnc = 1 takes the first free port, tells it, asks for the password there, and frees it", async () => {
		const world = await SimWorld.start();
		const display = `vncdisplay=${FIRST_PORT - 5900}`;
		await world.create(world.hvm("first", ...SCREEN, "vnc=1", display));
		await expect(world.create(world.hvm("none", ...SCREEN, "vnc=1", display, "vncunused=0"))).rejects.toThrow();
		const before = world.tree;
		const config = world.hvm("hvm", ...SCREEN, "vnc=1", display, 'vncpasswd="secret"');
		const { domid, screen } = await world.create(config);
		const port = FIRST_PORT + 1;
		expect(screen?.listen).toEqual({ address: "127.0.0.1", port, security: "password" });
		const console = `/local/domain/${domid}/console`;
		expect([world.tree[`${console}/vnc-listen`], world.tree[`${console}/vnc-port`]]).toEqual(["127.0.0.1", `${port}`]);
		expect(JSON.stringify(world.tree)).not.toContain("secret");
		const place = { host: "127.0.0.1", port };
		await expect(RfbViewer.open(place, { password: "wrong" })).rejects.toThrow("Authentication failed");
		await expect(RfbViewer.open(place)).rejects.toThrow("Only types 2");
		for (const minor of [3, 7, 8] as const) {
			const viewer = await RfbViewer.open(place, { password: "secret", minor });
			expect((await viewer.frame()).length).toBe(4 * 320 * 200);
			viewer.close();
		}
		await world.client.destroy("hvm");
		expect(world.tree).toEqual(before);
		await expect(RfbViewer.open(place, { password: "secret" })).rejects.toMatchObject({ code: "ECONNREFUSED" });
	});

	test("with a certificate of the host's, viewers on TCP speak TLS", async () => {
		const world = await SimWorld.start();
		await world.daemon.stop();
		const key = (name: string): string =>
			fileURLToPath(new URL(`../../../relay/test/channel/keys/${name}`, import.meta.url));
		world.options = { vncTls: { cert: key("server.pem"), key: key("server.key") } };
		await world.startDaemon();
		const line = `vncdisplay=${FIRST_PORT - 5900}`;
		const { screen } = await world.create(world.hvm("hvm", ...SCREEN, "vnc=1", line, 'vncpasswd="secret"'));
		expect(screen?.listen?.security).toBe("tls-and-password");
		const place = { host: "127.0.0.1", port: screen?.listen?.port ?? 0 };
		const tls = { ca: readFileSync(key("ca.pem"), "utf8"), servername: "agents.example.org" };
		const viewer = await RfbViewer.open(place, { password: "secret", tls });
		expect((await viewer.frame()).length).toBe(4 * 320 * 200);
		viewer.close();
		await expect(RfbViewer.open(place, { password: "secret" })).rejects.toThrow("Only types 19");
	});

	test("a screen for anybody on the network is refused unless the host's administrator wants it too", async () => {
		const world = await SimWorld.start();
		const open = (...lines: string[]): string =>
			world.hvm("hvm", ...SCREEN, "vnc=1", `vncdisplay=${FIRST_PORT - 5900}`, 'vnclisten="0.0.0.0"', ...lines);
		await expect(world.create(open())).rejects.toMatchObject({
			code: "screen-refused",
			remedy: expect.stringContaining("--vnc-allow-plain") as string,
		});
		await world.create(open('vncpasswd="secret password"'));
		expect(world.log.join()).toContain("with a password and without TLS");
		expect(world.log.join()).toContain("only the first 8 characters");
		expect(world.log.join()).not.toContain("secret");
		await world.client.destroy("hvm");
		await world.daemon.stop();
		world.options = { vncAllowPlain: true };
		await world.startDaemon();
		const { screen } = await world.create(open());
		expect(screen?.listen).toMatchObject({ address: "0.0.0.0", security: "none" });
		expect(world.log.join()).toContain("anybody can see and type");
		const viewer = await RfbViewer.open({ host: "127.0.0.1", port: screen?.listen?.port ?? 0 });
		viewer.close();
	});

	test("an image without screen is told of: with vnc = 1 as an error, else in the guest's description", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		world.simulated.stubScript = { bootMs: 0, screen: "none" };
		await expect(world.create(world.hvm("hvm", ...SCREEN, "vnc=1"))).rejects.toMatchObject({
			message: expect.stringContaining("screen") as string,
		});
		expect(world.tree).toEqual(before);
		const guest = await world.create(world.hvm("hvm", ...SCREEN));
		expect(guest.screen).toEqual({
			viewers: 0,
			mostViewers: 0,
			problem: expect.stringContaining("image has no screen") as string,
		});
		expect(world.log.join()).toContain("image has no screen");
	});

	test("no graphics card, no screen; vnc = 1 without one is refused", async () => {
		const world = await SimWorld.start();
		const guest = await world.create(world.hvm("hvm", 'vga="none"'));
		expect(guest.screen).toBeUndefined();
		expect(Object.keys(world.tree).filter((path) => path.includes("screen-vchan"))).toEqual([]);
		await expect(world.create(world.hvm("other", 'vga="none"', "vnc=1"))).rejects.toMatchObject({
			code: "screen-refused",
		});
	});

	test.each(["stop", "kill"] as const)("goes on with another relay, and another daemon, after a %s", async (way) => {
		const world = await SimWorld.start();
		const config = world.hvm("hvm", ...SCREEN, "vnc=1", `vncdisplay=${FIRST_PORT - 5900}`, 'vncpasswd="secret"');
		const { screen } = await world.create(config);
		const place = { host: "127.0.0.1", port: screen?.listen?.port ?? 0 };
		const viewers = [await look(world, "hvm"), await RfbViewer.open(place, { password: "secret" })];
		await world.daemon[way]();
		await world.startDaemon();
		// Another daemon is no concern of those who look.
		for (const viewer of viewers) expect((await viewer.frame()).length).toBe(4 * 320 * 200);
		expect((await world.client.guest("hvm")).screen).toMatchObject({ viewers: 2, listen: screen?.listen });
		world.relay[way]();
		for (const viewer of viewers) await viewer.ended();
		await world.startRelay();
		await world.eventually("the screen again", async () => (await world.client.guest("hvm")).screen?.socketPath);
		const after = [await look(world, "hvm"), await RfbViewer.open(place, { password: "secret" })];
		for (const viewer of after) expect((await viewer.frame()).length).toBe(4 * 320 * 200);
		for (const viewer of after) viewer.close();
	});

	test("a guest that reboots keeps its port, and its viewers come again", async () => {
		const world = await SimWorld.start();
		const { screen, domid } = await world.create(
			world.hvm("hvm", ...SCREEN, "vnc=1", `vncdisplay=${FIRST_PORT - 5900}`),
		);
		const viewer = await look(world, "hvm");
		await world.client.reboot("hvm");
		await viewer.ended();
		const again = await world.eventually("the next domain", async () => {
			const found = await world.client.guest("hvm");
			return found.domid !== undefined && found.domid !== domid && found.phase === "running" && found.screen
				? found.screen
				: undefined;
		});
		expect(again.listen).toEqual(screen?.listen);
		(await RfbViewer.open({ host: "127.0.0.1", port: again.listen?.port ?? 0 })).close();
	});

	test("a stub domain that closes at any byte of its greeting turns its viewer away, and costs no slot", async () => {
		const world = await SimWorld.start();
		const greeting = Buffer.from("RFB 003.008\n\x01\x01\0\0\0\0", "latin1");
		let isHonest = false;
		let bytes = 0;
		world.simulated.stubScript = {
			bootMs: 0,
			screen: (session) => {
				if (isHonest) return false;
				session.resume();
				session.write(greeting.subarray(0, bytes), () => session.destroy());
				return true;
			},
		};
		await world.create(world.hvm("hvm", ...SCREEN));
		for (; bytes < greeting.length; bytes++)
			await expect(look(world, "hvm")).rejects.toMatchObject({ message: "The guest's screen does not answer" });
		isHonest = true;
		const viewers = [];
		for (let count = 0; count < 4; count++) viewers.push(await look(world, "hvm"));
		for (const viewer of viewers) expect((await viewer.frame()).length).toBe(4 * 320 * 200);
	});

	test.each<[string, string]>([
		["asks for a password", "RFB 003.008\n\x01\x02"],
		["speaks an old RFB", "RFB 003.003\n\0\0\0\x01"],
		["speaks no RFB", "HTTP/1.1 200 OK\r\n\r\n"],
		["refuses with a reason without end", `RFB 003.008\n\0\xff\xff\xff\xff${"x".repeat(5000)}`],
		["fails with a reason that would break a log", "RFB 003.008\n\x01\x01\0\0\0\x01\0\0\0\x06\x1b[31m\n"],
	])("a stub domain whose QEMU %s shows nothing, and hears nothing of a password", async (_, words) => {
		const world = await SimWorld.start();
		let heard = "";
		world.simulated.stubScript = {
			bootMs: 0,
			screen: (session) => {
				session.on("data", (chunk: Buffer) => {
					heard += chunk.toString("latin1");
				});
				session.write(Buffer.from(words, "latin1"));
				return true;
			},
		};
		const config = world.hvm("hvm", ...SCREEN, "vnc=1", `vncdisplay=${FIRST_PORT - 5900}`, 'vncpasswd="secret"');
		const { screen } = await world.create(config);
		const place = { host: "127.0.0.1", port: screen?.listen?.port ?? 0 };
		const refusal = { message: "The guest's screen does not answer" };
		await expect(RfbViewer.open(place, { password: "secret" })).rejects.toMatchObject(refusal);
		await expect(look(world, "hvm")).rejects.toMatchObject(refusal);
		expect(heard.replaceAll("RFB 003.008\n", "").replaceAll("\x01", "")).toBe("");
		expect(world.log.join()).not.toContain("\x1b");
	});

	test("a stub domain that never answers, or floods, holds nobody up: not its guest's end, not other guests' screens", async () => {
		const world = await SimWorld.start();
		await world.create(world.hvm("honest", ...SCREEN));
		let isSilent = true;
		let flooded = 0;
		world.simulated.stubScript = {
			bootMs: 0,
			screen: (session) => {
				session.resume();
				if (isSilent) return true;
				session.write(Buffer.from("RFB 003.008\n\x01\x01\0\0\0\0", "latin1"));
				session.write(Buffer.from("\x01\x40\0\xc8".padEnd(24, "\0"), "latin1"));
				const noise = Buffer.alloc(256 * 1024, 7);
				const flood = (): void => {
					flooded += noise.length;
					session.write(noise, (error) => {
						if (!error) flood();
					});
				};
				flood();
				return true;
			},
		};
		await world.create(world.hvm("hostile", ...SCREEN));
		const silent = look(world, "hostile");
		silent.catch(() => {});
		await world.eventually("a viewer that waits", async () => (await viewersOf(world, "hostile")) === 1 || undefined);
		isSilent = false;
		const stalled = await look(world, "hostile");
		stalled.stall();
		const other = await look(world, "honest");
		let last = -1;
		// Until the flood stands still: everything between the two is full.
		await world.eventually("the flood to stand", async () => {
			expect((await other.frame()).length).toBe(4 * 320 * 200);
			const before = last;
			last = flooded;
			return before === flooded || undefined;
		});
		expect(flooded).toBeLessThan(4 * 1024 * 1024);
		await world.client.destroy("hostile");
		await expect(silent).rejects.toMatchObject({
			code: expect.stringMatching(/protocol-error|viewer-refused/) as string,
		});
		await stalled.ended();
		expect((await other.frame()).length).toBe(4 * 320 * 200);
	});

	test("a stub domain that offers one vchan twice, or numbers that are none, is given no viewers", async () => {
		const world = await SimWorld.start();
		const before = world.tree;
		for (const spoil of [
			(root: string) =>
				world.simulated.xenstored.host.write(`${root}/1/ring-ref`, world.tree[`${root}/0/ring-ref`] ?? ""),
			(root: string) => world.simulated.xenstored.host.write(`${root}/2/event-channel`, "99999999999"),
			(root: string) => world.simulated.xenstored.host.write(`${root}/3/ring-ref`, "1; rm"),
		]) {
			const guest = await world.create(world.hvm("hvm", ...SCREEN));
			world.relay.stop();
			const root = `/local/domain/${guest.stub?.domid}/device-model/${guest.domid}/screen-vchan`;
			spoil(root);
			world.log.length = 0;
			await world.startRelay();
			await world.eventually(
				"a complaint",
				() => world.log.some((line) => line.includes("Cannot attach a ring again")) || undefined,
			);
			expect((await world.client.guest("hvm")).screen).toBeUndefined();
			await world.client.destroy("hvm");
		}
		expect(world.tree).toEqual(before);
	});
});
