import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { carry, channelsLine, connectedChannel, FOLDER, socketOf } from "../xen/support/channels.ts";
import { pidOf } from "../xen/support/daemons.ts";
import { FOLDER as BOOT, LINUX, PVH } from "../xen/support/direct-boot.ts";
import { bulkhead, ok, useLab } from "../xen/support/dom0.ts";
import { retryOnFlake } from "../xen/support/emulator-flake.ts";
import { createGuest, destroyAll, PV } from "../xen/support/guests.ts";
import { putFilesOfLinuxDisk } from "../xen/support/linux-disk.ts";
import { GuestShell } from "../xen/support/network.ts";

/** 16 MiB each way, in pieces: a guest that the emulator kills, after some minutes of this, has lost only one of them. */
const PIECES = 8;
const PIECE_BYTES = 2 * 1024 * 1024;
/** An HVM or PVH guest's kernel leaves the virtual machine for every 16 bytes of a console, which the emulator pays dearly. */
const CARRY_MS = 5 * 60_000;
const BOOT_MS = 300_000;
const ROUNDS = 200;
const PTY = "org.example.pty";
const SOCKET = "org.example.socket";
const TWO = channelsLine({ [SOCKET]: socketOf("socket"), [PTY]: "connection=pty" });

interface RunningGuest {
	name: string;
	shell: GuestShell;
}

describe("channels, for long", () => {
	const the = useLab();
	let before: string[];

	beforeAll(async () => {
		await ok(the.lab, ["mkdir", "-p", FOLDER]);
		await putFilesOfLinuxDisk(the.lab, ["vmlinuz"], BOOT);
		before = await takeSnapshot(the.lab);
	});
	afterEach(async () => {
		await destroyAll(the.lab);
		expect(await findResidue(the.lab, before)).toEqual([]);
	});
	afterAll(() => the.lab.exec(["rm", "-rf", FOLDER, BOOT]));

	// One after the other: of two HVM or PVH guests side by side the emulator kills one within minutes.
	it.each([
		{ type: "a PV guest", file: PV, overrides: [], console: "pv" },
		{ type: "a PVH guest", file: PV, overrides: PVH, console: "pv" },
		{ type: "an HVM guest with a stub domain", file: LINUX, overrides: [], console: "serial0" },
	])("$type gets 16 MiB and gives 16 MiB, by socket and by pty", async ({ type, file, overrides, console: label }) => {
		const boot = async (): Promise<RunningGuest> => {
			const guest = await createGuest(the.lab, file, ...overrides, TWO);
			return { name: guest.name, shell: await GuestShell.open(the.lab, guest, label, BOOT_MS) };
		};
		let running: RunningGuest | undefined;
		for (const channelName of [SOCKET, PTY]) {
			const seconds = { in: 0, out: 0 };
			for (let piece = 1; piece <= PIECES; piece++) {
				const took = await retryOnFlake(the.lab, `${type}, ${channelName}, piece ${piece}`, async () => {
					const guest = running ?? (await boot());
					running = undefined;
					const channel = await connectedChannel(the.lab, guest.name, channelName);
					const took = await carry(the.lab, guest.name, guest.shell, channel, PIECE_BYTES, CARRY_MS);
					running = guest;
					return took;
				});
				seconds.in += took.in;
				seconds.out += took.out;
			}
			console.info(
				`${type}, ${channelName}: ${kibPerSecond(seconds.in)} KiB/s in, ${kibPerSecond(seconds.out)} KiB/s out`,
			);
		}
		running?.shell.close();
	});

	it(`come and go ${ROUNDS} times without leaving anything`, async () => {
		await createGuest(the.lab, PV);
		const round = async (index: number): Promise<void> => {
			const name = `org.example.round${index}`;
			await ok(the.lab, ["bulkhead", "channel-attach", "pv", `name=${name}`, "connection=pty"]);
			await connectedChannel(the.lab, "pv", name);
			await bulkhead(the.lab, "channel-detach", "pv", name);
		};
		await round(0);
		const idle = await takeSnapshot(the.lab);
		const figures = await descriptors();
		for (let index = 1; index <= ROUNDS; index++) await round(index);
		expect(await findResidue(the.lab, idle)).toEqual([]);
		expect(await descriptors()).toEqual(figures);
	});

	/** How many descriptors each of our processes has open. */
	async function descriptors(): Promise<number[]> {
		const counts: number[] = [];
		for (const daemon of ["bulkheadd", "bulkhead-relay"] as const) {
			const list = await ok(the.lab, ["ls", `/proc/${await pidOf(the.lab, daemon)}/fd`]);
			counts.push(list.trim().split("\n").length);
		}
		return counts;
	}
});

const kibPerSecond = (seconds: number): number => Math.round((PIECES * PIECE_BYTES) / 1024 / seconds);
