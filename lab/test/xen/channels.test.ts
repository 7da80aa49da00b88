import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { SerialSession } from "../../src/serial-session.ts";
import {
	AGENT,
	addressOf,
	carry,
	channelsLine,
	connectedChannel,
	FOLDER,
	greetAgent,
	socketOf,
} from "./support/channels.ts";
import { killAndAwaitRestart } from "./support/daemons.ts";
import { FOLDER as BOOT, PVH } from "./support/direct-boot.ts";
import { bulkhead, eventually, ok, useLab } from "./support/dom0.ts";
import { createGuest, findGuest, type GuestDocument, PV } from "./support/guests.ts";
import { leaveNothing } from "./support/leave-nothing.ts";
import { putFilesOfLinuxDisk } from "./support/linux-disk.ts";
import { GuestShell } from "./support/network.ts";

/** Of what is carried each way; the soak carries 16 MiB. */
const BYTES = 1 << 18;
const BOOT_MS = 240_000;
const PTY = "org.example.pty";
const SOCKET = "org.example.socket";
const THREE = channelsLine({ [SOCKET]: socketOf("socket"), [PTY]: "connection=pty", [AGENT]: socketOf("agent") });

describe("channels", () => {
	const the = useLab();

	beforeAll(async () => {
		await ok(the.lab, ["mkdir", "-p", FOLDER]);
		await putFilesOfLinuxDisk(the.lab, ["vmlinuz"], BOOT);
	});
	leaveNothing(the, async () => {
		expect(await ok(the.lab, ["sh", "-c", `ls ${FOLDER} | grep -c sock$ || true`])).toBe("0\n");
	});
	afterAll(() => the.lab.exec(["rm", "-rf", FOLDER, BOOT]));

	it("of a PV guest carry data each way, by socket and by pty, and live through everything", async () => {
		const guest = await createGuest(the.lab, PV, THREE);
		const shell = await GuestShell.open(the.lab, guest, "pv", BOOT_MS);
		expect((await shell.run("ls /dev/xen-channels")).split(/\s+/)).toEqual([AGENT, PTY, SOCKET].toSorted());
		const [socket, pty] = [await connectedChannel(the.lab, "pv", SOCKET), await connectedChannel(the.lab, "pv", PTY)];
		expect(cellsOf(await ok(the.lab, ["bulkhead", "channel-list", "pv"]))).toEqual(
			cellsOf(await ok(the.lab, ["xl", "channel-list", "pv"])),
		);
		for (const channel of [socket, pty]) {
			const seconds = await carry(the.lab, "pv", shell, channel, BYTES);
			console.info(`${channel.name}: ${BYTES} bytes in ${seconds.in} s to the guest, ${seconds.out} s from it`);
		}

		await shell.run("channel-agent & sleep 0");
		const agent = await greetAgent(the.lab, await connectedChannel(the.lab, "pv", AGENT));
		await tellAgent(shell, agent);
		agent.close();

		await killAndAwaitRestart(the.lab, "bulkheadd", "bulkhead-relay");
		(await greetAgent(the.lab, await connectedChannel(the.lab, "pv", AGENT))).close();
		shell.close();

		await ok(the.lab, ["bulkhead", "reboot", "pv"]);
		const second = await backAgain(guest);
		const again = await GuestShell.open(the.lab, second, "pv", BOOT_MS);
		await again.run("channel-agent & sleep 0");
		const last = await greetAgent(the.lab, await connectedChannel(the.lab, "pv", AGENT));
		last.write("shutdown poweroff\n");
		await last.expect(/ok shutdown/, 30_000);
		await eventually(
			"the guest to power off",
			async () => ((await findGuest(the.lab, "pv")) ? undefined : true),
			60_000,
		);
		last.close();
		again.close();
	}, 600_000);

	it("come to a guest that runs, and go, ten times, and by force", async () => {
		const guest = await createGuest(the.lab, PV);
		const shell = await GuestShell.open(the.lab, guest, "pv", BOOT_MS);
		const idle = await takeSnapshot(the.lab);
		for (let round = 0; round < 10; round++) {
			const name = `org.example.round${round}`;
			await ok(the.lab, ["bulkhead", "channel-attach", "pv", `name=${name}`, "connection=pty"]);
			await connectedChannel(the.lab, "pv", name);
			if (round === 0) await shell.run(`until [ -e /dev/xen-channels/${name} ]; do usleep 100000; done`);
			const force = round >= 7;
			const { forced } = await bulkhead(the.lab, "channel-detach", "pv", name, ...(force ? ["--force"] : []));
			expect(forced).toBe(force);
		}
		// What a kernel says of a page that it takes for its page tables while the relay still has it mapped.
		expect(await shell.run("dmesg")).not.toContain("multicall");
		expect(await findResidue(the.lab, idle)).toEqual([]);
		expect(await bulkhead(the.lab, "channel-list", "pv")).toEqual([]);
		await ok(the.lab, ["bulkhead", "channel-attach", "pv", `name=${AGENT}`, `${socketOf("agent")}`]);
		await shell.run(`until [ -e /dev/xen-channels/${AGENT} ]; do usleep 100000; done; channel-agent & sleep 0`);
		(await greetAgent(the.lab, await connectedChannel(the.lab, "pv", AGENT))).close();
		shell.close();
	}, 300_000);

	it("of a PVH guest", async () => {
		const guest = await createGuest(the.lab, PV, ...PVH, THREE);
		const shell = await GuestShell.open(the.lab, guest, "pv", BOOT_MS);
		await converse(guest.name, shell);
		shell.close();
	});

	/** All three at once: the agent answers on its channel, and a line goes each way on the others. */
	async function converse(guest: string, shell: GuestShell): Promise<void> {
		await shell.run("channel-agent & sleep 0");
		const agent = await greetAgent(the.lab, await connectedChannel(the.lab, guest, AGENT));
		for (const name of [SOCKET, PTY]) {
			const channel = await connectedChannel(the.lab, guest, name);
			const echo = `(exec 5<>/dev/xen-channels/${name}; stty raw -echo <&5; read -r line <&5; echo "got $line" >&5; read -r line <&5)`;
			await shell.run(`${echo} & sleep 0`);
			const session = SerialSession.openAddress(the.lab, addressOf(channel));
			session.write(`via ${name}\n`);
			await session.expect(new RegExp(`got via ${name}\n`), 60_000);
			session.close();
		}
		agent.write("hello\n");
		await agent.expect(/hello 1/, 30_000);
		agent.close();
	}

	async function tellAgent(shell: GuestShell, agent: Awaited<ReturnType<typeof greetAgent>>): Promise<void> {
		const base64 = (text: string): string => Buffer.from(text).toString("base64");
		agent.write(`config ${base64("hostname=first")}\n`);
		await agent.expect(/ok config/, 30_000);
		agent.write(`config ${base64("hostname=second")}\n`);
		await agent.expect(/no config/, 30_000);
		expect(await shell.run("cat /var/lib/channel-agent/config")).toBe("hostname=first");
		agent.write(`clipboard ${base64("from dom0")}\n`);
		await agent.expect(/ok clipboard/, 30_000);
		expect(await shell.run("cat /var/lib/channel-agent/clipboard")).toBe("from dom0");
		await shell.run("printf 'from the guest' | channel-agent copy");
		const [, copied = ""] = await agent.expect(/clipboard (\S+)\n/, 30_000);
		expect(Buffer.from(copied, "base64").toString()).toBe("from the guest");
	}

	const backAgain = (first: GuestDocument): Promise<GuestDocument> =>
		eventually(
			"the guest to be back",
			async () => {
				const found = await findGuest(the.lab, first.name);
				return found?.phase === "running" && found.domid !== first.domid ? found : undefined;
			},
			90_000,
		);
});

/** Rows of a channel-list as far as xl has them: a socket has no place there, and no channel a name. */
function cellsOf(text: string): string[][] {
	return text
		.trimEnd()
		.split("\n")
		.map((line) => line.trim().split(/\s+/))
		.map((cells) => (cells[0] === "Idx" ? cells.slice(0, 6) : cells.slice(0, cells[5] === "pty" ? 7 : 6)));
}
