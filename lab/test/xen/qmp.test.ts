import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lab } from "../../src/lab.ts";
import { converse, messagesIn, type QmpMessage, sayQmp } from "./support/conversation.ts";
import { awaitReady } from "./support/daemons.ts";
import { bulkhead, eventually, ok, useLab } from "./support/dom0.ts";
import { destroyAll, type GuestDocument } from "./support/guests.ts";
import { startTiny } from "./support/tiny-guest.ts";

const COMMANDS = ["query-version", "query-status", "query-block", "query-chardev", "query-pci"];
const PROXY_SOCKET = "/tmp/peer-qmp.sock";

/** Asks through the relay, as anybody does. */
async function askRelay(lab: Lab): Promise<unknown[]> {
	const answers: unknown[] = [];
	for (const command of COMMANDS)
		answers.push((await bulkhead<{ return: unknown }>(lab, "qmp", "tiny", command)).return);
	return answers;
}

/** Asks through Xen's own vchan-socket-proxy, run as a client in dom0 while the relay is down. */
async function askPeer(lab: Lab, { domid, stub }: GuestDocument): Promise<unknown[]> {
	const path = `/local/domain/${stub?.domid}/device-model/${domid}/qmp-vchan`;
	const proxy = lab.spawn(["vchan-socket-proxy", `${stub?.domid}`, path, PROXY_SOCKET]);
	try {
		await eventually("the proxy's socket", async () =>
			(await lab.exec(["test", "-S", PROXY_SOCKET])).exitCode === 0 ? true : undefined,
		);
		const messages = await converse(lab, `UNIX-CONNECT:${PROXY_SOCKET}`, (peer) =>
			sayQmp(peer, "qmp_capabilities", ...COMMANDS),
		);
		expect(messages[0]).toHaveProperty("QMP.version.qemu.major", 7);
		return COMMANDS.map((command) => messages.find(({ id }) => id === command)?.return);
	} finally {
		proxy.kill();
		await ok(lab, ["pkill", "-f", "vchan-socket-proxy"]);
		await ok(lab, ["rm", "-f", PROXY_SOCKET]);
	}
}

describe("the stub domain's QMP over vchan", () => {
	const the = useLab();
	let guest: GuestDocument;

	beforeAll(async () => {
		guest = await startTiny(the.lab);
	});
	afterAll(async () => {
		await ok(the.lab, ["sv", "up", "/etc/service/bulkhead-relay"]);
		await awaitReady(the.lab);
		await destroyAll(the.lab);
	});

	it("gives the relay and Xen's C proxy the same answers, one after the other and back", async () => {
		const before = await askRelay(the.lab);
		expect(before.every((answer) => answer !== undefined)).toBe(true);
		await ok(the.lab, ["sv", "force-stop", "/etc/service/bulkhead-relay"]);
		const peer = await askPeer(the.lab, guest);
		expect(peer).toEqual(before);
		await ok(the.lab, ["sv", "up", "/etc/service/bulkhead-relay"]);
		await awaitReady(the.lab);
		const after = await eventually("QMP to answer again", () => askRelay(the.lab).catch(() => undefined));
		expect(after).toEqual(before);
	});

	it("has sockets for everybody's QMP programs, by role", async () => {
		const directory = `/run/bulkhead/relay/guests/${guest.uuid}/qmp`;
		const modes = await ok(the.lab, ["sh", "-c", `cd ${directory} && stat -c '%a %n' *.sock`]);
		expect(modes.trim().split("\n")).toEqual(["660 monitor.sock", "600 operator.sock", "660 reader.sock"]);
		const commands = ["qmp_capabilities", "query-status", "stop", "cont"];
		const place = (role: string): string => `UNIX-CONNECT:${directory}/${role}.sock`;
		const [asReader, asOperator] = await converse(the.lab, place("reader"), async (reader) => {
			await sayQmp(reader, ...commands);
			const operators = await converse(the.lab, place("operator"), (operator) => sayQmp(operator, ...commands));
			const heard = await reader.until("the event of the operator's stop", (bytes) =>
				messagesIn(bytes).some(({ event }) => event === "STOP"),
			);
			return [messagesIn(heard), operators];
		});
		expect(asOperator[0]).toHaveProperty("QMP.version.qemu.major", 7);
		const find = (all: QmpMessage[], id: string): unknown => all.find((message) => message.id === id);
		for (const id of ["query-status", "stop", "cont"]) expect(find(asOperator, id)).toHaveProperty("return");
		expect(find(asReader, "query-status")).toHaveProperty("return.running");
		for (const id of ["stop", "cont"]) expect(find(asReader, id)).toHaveProperty("error.class", "GenericError");
		expect(asReader.map(({ event }) => event)).toContain("STOP");
	});

	it("tells QEMU's events to whoever watches", async () => {
		const watcher = the.lab.spawn(["bulkhead", "--json", "qmp", "tiny", "--watch"]);
		let seen = "";
		watcher.stdout?.on("data", (chunk: Buffer) => {
			seen += chunk.toString();
		});
		await eventually("an event of QEMU", async () => {
			await bulkhead(the.lab, "qmp", "tiny", "stop");
			await bulkhead(the.lab, "qmp", "tiny", "cont");
			return seen.includes('"STOP"') && seen.includes('"RESUME"') ? true : undefined;
		});
		watcher.kill();
	});
});
