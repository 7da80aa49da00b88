import { type ChildProcess, spawn } from "node:child_process";
import { createCipheriv } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { DebianPackages, findRealPathInTree, machineRelease, runProgram } from "@bulkhead/image";
import { QmpClient } from "@bulkhead/qmp";
import { RfbViewer } from "@bulkhead/relay/testing";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { SimWorld } from "./sim-world.ts";

const FIRST_PORT = 20_000 + (process.pid % 400) * 100;
const SCREEN = ['vga="stdvga"', "videoram=16"];
/** An unpacked package's programs are run by the tree's own dynamic linker. */
type Program = (name: string) => Promise<[string, ...string[]]>;

async function unpack(
	debian: DebianPackages,
	packages: readonly string[],
): Promise<{ tree: string; program: Program }> {
	const tree = await debian.unpack(packages, { dependencies: true });
	const loader = (await findRealPathInTree(tree, "/lib64/ld-linux-x86-64.so.2")) ?? "lib64/ld-linux-x86-64.so.2";
	const libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/pulseaudio"];
	const path = libraries.map((dir) => join(tree, dir)).join(":");
	return { tree, program: async (name) => [join(tree, loader), "--library-path", path, join(tree, "usr/bin", name)] };
}

/** A PC without a disk: its firmware says so on its screen, and waits. */
async function startQemu(
	{ tree, program }: Awaited<ReturnType<typeof unpack>>,
	world: SimWorld,
): Promise<{ vnc: string; qmp: QmpClient }> {
	const { directory } = world;
	const [file, ...first] = await program("qemu-system-x86_64");
	const [vnc, monitor] = [join(directory, "vnc"), join(directory, "qmp")];
	const data = ["qemu", "seabios"].flatMap((name) => ["-L", join(tree, "usr/share", name)]);
	const machine = ["-nodefaults", "-no-user-config", "-machine", "pc", "-m", "32", "-device", "VGA"];
	const screen = ["-vnc", `unix:${vnc},share=force-shared`, "-display", "none", "-k", "de"];
	const control = ["-chardev", `socket,id=m,path=${monitor},server=on,wait=off`, "-mon", "chardev=m,mode=control"];
	const qemu: ChildProcess = spawn(file, [...first, ...data, ...machine, ...screen, ...control], {
		env: { ...process.env, QEMU_MODULE_DIR: join(tree, "usr/lib/x86_64-linux-gnu/qemu") },
		stdio: ["ignore", "ignore", "inherit"],
	});
	onTestFinished(async () => {
		qemu.kill("SIGKILL");
		if (qemu.exitCode === null && qemu.signalCode === null) await once(qemu, "exit");
	});
	await world.eventually("QEMU's sockets", () => (existsSync(monitor) && existsSync(vnc)) || undefined);
	const socket = connect({ path: monitor });
	await once(socket, "connect");
	const qmp = await QmpClient.open(socket, { greetingTimeoutMs: 10_000, signal: new AbortController().signal });
	onTestFinished(() => qmp.close());
	return { vnc, qmp };
}

/** QEMU's own picture: a PPM of 8 bits, as blue, green, red, nothing. */
async function screendump(qmp: QmpClient, path: string): Promise<{ width: number; height: number; pixels: Buffer }> {
	await qmp.execute("screendump", { filename: path }, { timeoutMs: 10_000 });
	const file = await readFile(path);
	const [head, width, height] = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(file.subarray(0, 32).toString("latin1")) ?? [];
	if (head === undefined) throw new Error("QEMU's picture is no PPM");
	const pixels = Buffer.alloc((4 * (file.length - head.length)) / 3);
	for (let from = head.length, to = 0; from < file.length; from += 3, to += 4)
		for (let colour = 0; colour < 3; colour++) pixels[to + colour] = file[from + 2 - colour] ?? 0;
	return { width: Number(width), height: Number(height), pixels };
}

/** vncpasswd's file: the password under a key that everybody knows. */
function passwordFile(password: string): Buffer {
	const key = Buffer.from([0xe8, 0x4a, 0xd6, 0x60, 0xc4, 0x72, 0x1a, 0xe0]);
	const cipher = createCipheriv("des-ede3-ecb", Buffer.concat([key, key, key]), null).setAutoPadding(false);
	const padded = Buffer.alloc(8);
	padded.write(password);
	return Buffer.concat([cipher.update(padded), cipher.final()]);
}

describe("a real QEMU's screen through vchan and relay", () => {
	let qemu: Awaited<ReturnType<typeof unpack>>;
	let snapshot: Awaited<ReturnType<typeof unpack>>;
	beforeAll(async () => {
		const debian = await DebianPackages.open({ release: await machineRelease() });
		qemu = await unpack(debian, ["qemu-system-x86", "seabios", "ipxe-qemu"]);
		snapshot = await unpack(debian, ["vncsnapshot"]);
	});

	test("shows two viewers what QEMU itself says that it shows, pixel by pixel, and takes a standard client with its password", async () => {
		const world = await SimWorld.start();
		const { vnc, qmp } = await startQemu(qemu, world);
		world.simulated.stubScript = { bootMs: 0, screen: { socketPath: vnc } };
		const display = FIRST_PORT - 5900;
		const config = world.hvm("hvm", ...SCREEN, "vnc=1", `vncdisplay=${display}`, 'vncpasswd="secret"');
		const { screen } = await world.create(config);
		const port = screen?.listen?.port ?? 0;
		const file = join(world.directory, "passwd");
		await writeFile(file, passwordFile("secret"));
		const picture = join(world.directory, "picture.jpg");
		const [command, ...first] = await snapshot.program("vncsnapshot");
		const options = ["-passwd", file, "-quiet", `127.0.0.1:${port - 5900}`, picture];
		const same = await world.eventually("the firmware's words", async () => {
			const before = await screendump(qmp, join(world.directory, "picture.ppm"));
			const viewers = await Promise.all([
				RfbViewer.open({ path: screen?.socketPath ?? "" }),
				RfbViewer.open({ host: "127.0.0.1", port }, { password: "secret" }),
			]);
			const frames = await Promise.all(viewers.map((viewer) => viewer.frame()));
			for (const viewer of viewers) viewer.close();
			const isLit = before.pixels.some((value) => value > 100);
			const areSame = frames.every((frame) => frame.equals(before.pixels));
			return isLit && areSame ? before : undefined;
		});
		expect([same.width, same.height]).toEqual([720, 400]);
		await runProgram([command, ...first, ...options], { timeoutMs: 30_000 });
		expect((await readFile(picture)).subarray(0, 3).toString("hex")).toBe("ffd8ff");
	});
});
