import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { connectScreen } from "@bulkhead/screen";
import { decodePng } from "@bulkhead/screen/testing";
import { expect, onTestFinished, test } from "vitest";
import { combinationsOfText, parseCombination } from "../../../cli/src/screen/keys.ts";
import { CapturedIo, run } from "../../../cli/test/captured-io.ts";
import { checkHmp, LOOKING } from "../../../relay/src/qmp/hmp-policy.ts";
import { SimWorld } from "../sim/sim-world.ts";
import { GREETING } from "./boot-sector.ts";
import { LocalQemu } from "./local-qemu.ts";

const PATIENCE = { timeout: 30_000, interval: 100 };
const HOLD_MS = 20;

/** A daemon on a simulated host, and a real QEMU where its relay would serve the guest's screen. */
async function setStage(): Promise<{ world: SimWorld; qemu: LocalQemu; socketPath: string }> {
	const world = await SimWorld.start();
	await world.create(world.hvm("web"));
	const { socketPath } = await world.client.screen("web");
	await mkdir(dirname(socketPath), { recursive: true });
	const qemu = await LocalQemu.start({ directory: world.directory, screen: socketPath });
	onTestFinished(() => qemu[Symbol.asyncDispose]());
	await expect.poll(() => qemu.text(), PATIENCE).toBe(GREETING);
	return { world, qemu, socketPath };
}

test("bulkhead screenshot has QEMU's own pixels, of text and of graphics", async () => {
	const { world, qemu, socketPath } = await setStage();
	const shoot = async (): Promise<ReturnType<typeof decodePng>> => {
		const io = new CapturedIo();
		expect(await run(io, world.daemon.socketPath, "screenshot", "web", "-")).toMatchObject({ code: 0, err: "" });
		return decodePng(Buffer.concat(io.outBytes));
	};
	const sameAsQemu = async (): Promise<boolean> => {
		const [shot, dump] = [await shoot(), await qemu.screendump()];
		return shot.width === dump.width && shot.height === dump.height && Buffer.compare(shot.rgb, dump.rgb) === 0;
	};
	await expect.poll(sameAsQemu, PATIENCE).toBe(true);
	const screen = await connectScreen({ path: socketPath, timeoutMs: 10_000 });
	onTestFinished(() => screen.close());
	for (const down of [true, false]) screen.sendKey(0xff0d, down);
	await expect.poll(async () => (await qemu.screendump()).width, PATIENCE).toBe(640);
	await expect.poll(sameAsQemu, PATIENCE).toBe(true);
});

test("a standard viewer shows QEMU's own pixels through bulkhead vncviewer", async () => {
	const { world, qemu } = await setStage();
	const picture = join(world.directory, "capture.png");
	// Debian's gvnccapture writes a picture and leaves; it is told the address as gvncviewer is.
	const viewer = join(world.directory, "gvncviewer");
	await writeFile(viewer, `#!/bin/sh\nexec gvnccapture -q "$1" ${picture}\n`);
	await chmod(viewer, 0o755);
	const io = new CapturedIo();
	io.env.PATH = process.env.PATH;
	const outcome = await run(io, world.daemon.socketPath, "vncviewer", "--viewer", viewer, "web");
	expect(outcome).toEqual({ code: 0, out: "", err: "" });
	const [shot, dump] = [decodePng(await readFile(picture)), await qemu.screendump()];
	expect([shot.width, shot.height]).toEqual([dump.width, dump.height]);
	expect(Buffer.compare(shot.rgb, dump.rgb)).toBe(0);
});

test("keys by name and text are what QEMU takes them for", async () => {
	const { qemu } = await setStage();
	const text = "The Quick Brown Fox, 0123456789 -=[];'`\\,./ ~!@#$%^&*()_+{}:\"|<>?";
	const typed = `${text}a`;
	const combinations = [...combinationsOfText(text.replaceAll("\\", "\\\\")), parseCombination("0x1e")];
	for (const [at, keys] of combinations.entries()) {
		await qemu.execute("send-key", { keys, "hold-time": HOLD_MS });
		// QEMU keeps few keys, and drops what is more: the next is sent when this one is seen.
		const seen = `${GREETING}\n${typed.slice(0, at + 1)}`.trimEnd();
		await expect.poll(() => qemu.text(), { ...PATIENCE, interval: HOLD_MS }).toBe(seen);
	}
	await expect.poll(() => qemu.text(), PATIENCE).toBe(`${GREETING}\n${typed}`);
	await qemu.execute("send-key", { keys: parseCombination("ctrl-alt-delete") });
	await expect.poll(() => qemu.text(), PATIENCE).toBe(GREETING);
});

test("QEMU's monitor for people knows every word of the relay's list", async () => {
	const { qemu } = await setStage();
	const answers = await Promise.all(
		[...LOOKING].map(async (topic) => {
			const args = { "command-line": `info ${topic}` };
			checkHmp(args, { mayAct: false });
			return [topic, String(await qemu.execute("human-monitor-command", args))] as const;
		}),
	);
	// HMP answers an unknown topic with its help, which names all of them.
	const unknown = String(await qemu.execute("human-monitor-command", { "command-line": "info nosuchtopic" }));
	expect(unknown).toContain("info ");
	expect(answers.filter(([, answer]) => answer === unknown || /unknown command/.test(answer))).toEqual([]);
});
