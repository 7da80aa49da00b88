import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { carry, channelsLine, connectedChannel, FOLDER, socketOf } from "../xen/support/channels.ts";
import { pidOf } from "../xen/support/daemons.ts";
import { FOLDER as BOOT, LINUX, PVH } from "../xen/support/direct-boot.ts";
import { bulkhead, ok, useLab } from "../xen/support/dom0.ts";
import { createGuest, PV } from "../xen/support/guests.ts";
import { leaveNothing } from "../xen/support/leave-nothing.ts";
import { putFilesOfLinuxDisk } from "../xen/support/linux-disk.ts";
import { GuestShell } from "../xen/support/network.ts";

const BYTES = 16 * 1024 * 1024;
/** An HVM or PVH guest's kernel leaves the virtual machine for every 16 bytes of a console, which the emulator pays dearly. */
const CARRY_MS = 40 * 60_000;
const BOOT_MS = 300_000;
const ROUNDS = 200;
const PTY = "org.example.pty";
const SOCKET = "org.example.socket";
const TWO = channelsLine({ [SOCKET]: socketOf("socket"), [PTY]: "connection=pty" });

describe("channels, for long", () => {
	const the = useLab();

	beforeAll(async () => {
		await ok(the.lab, ["mkdir", "-p", FOLDER]);
		await putFilesOfLinuxDisk(the.lab, ["vmlinuz"], BOOT);
	});
	leaveNothing(the);
	afterAll(() => the.lab.exec(["rm", "-rf", FOLDER, BOOT]));

	it.each([
		{ type: "a PV guest", file: PV, overrides: [], console: "pv" },
		{ type: "a PVH guest", file: PV, overrides: PVH, console: "pv" },
		{ type: "an HVM guest with a stub domain", file: LINUX, overrides: [], console: "serial0" },
	])("$type gets 16 MiB and gives 16 MiB, by socket and by pty", async ({ type, file, overrides, console: label }) => {
		const guest = await createGuest(the.lab, file, ...overrides, TWO);
		const shell = await GuestShell.open(the.lab, guest, label, BOOT_MS);
		for (const channelName of [SOCKET, PTY]) {
			const channel = await connectedChannel(the.lab, guest.name, channelName);
			const took = await carry(the.lab, guest.name, shell, channel, BYTES, CARRY_MS);
			console.info(`${type}, ${channelName}: ${kibPerSecond(took.in)} KiB/s in, ${kibPerSecond(took.out)} KiB/s out`);
		}
		shell.close();
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

const kibPerSecond = (seconds: number): number => Math.round(BYTES / 1024 / seconds);
