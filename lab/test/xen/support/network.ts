import type { Lab } from "../../../src/lab.ts";
import { SerialSession } from "../../../src/serial-session.ts";
import { ok } from "./dom0.ts";
import type { GuestDocument } from "./guests.ts";

const FOLDER = "/run/network-test";
const COMMAND_MS = 90_000;
/** Of what goes over each nic. */
const PAYLOAD_BYTES = 256 * 1024;

/** A bridge of dom0's, its address and the net behind it. */
export interface TestBridge {
	name: string;
	/** "10.77.1" */
	net: string;
}

export const FIRST: TestBridge = { name: "xenbr0", net: "10.77.0" };
export const SECOND: TestBridge = { name: "xenbr1", net: "10.77.1" };
export const MAC = "00:16:3e:01:02:03";
export const OTHER = "00:16:3e:01:02:04";
/** From unpausing a guest with cards to its shell. */
export const BOOT_MS = 240_000;
/** The cards' boot ROMs take many seconds to unpack themselves under emulation, and nobody boots from the network here. */
export const NO_ROMS = 'device_model_args=["-global", "rtl8139.romfile=", "-global", "e1000.romfile="]';

/** Names of the interfaces that are in a bridge of dom0's. */
export const portsOf = async (lab: Lab, bridge: string): Promise<string[]> =>
	(await ok(lab, ["ls", `/sys/class/net/${bridge}/brif`])).split("\n").filter(Boolean).toSorted();

/** Two bridges on which dom0 has an address and serves a file over HTTP. They go with `close`. */
export async function openNetwork(
	lab: Lab,
	bridges: readonly TestBridge[],
): Promise<{ sum: string; close(): Promise<void> }> {
	await ok(lab, ["mkdir", "-p", FOLDER]);
	await ok(lab, ["sh", "-c", `head -c ${PAYLOAD_BYTES} /dev/urandom > ${FOLDER}/payload`]);
	const sum = (await ok(lab, ["sha256sum", `${FOLDER}/payload`])).slice(0, 64);
	const undo: string[][] = [["rm", "-rf", FOLDER]];
	for (const { name, net } of bridges) {
		const isThere = (await lab.exec(["ip", "link", "show", "dev", name])).exitCode === 0;
		if (!isThere) {
			await ok(lab, ["ip", "link", "add", "name", name, "type", "bridge"]);
			undo.unshift(["ip", "link", "del", "dev", name]);
		} else undo.unshift(["ip", "addr", "del", `${net}.1/24`, "dev", name]);
		await ok(lab, ["ip", "addr", "add", `${net}.1/24`, "dev", name]);
		await ok(lab, ["ip", "link", "set", "dev", name, "up"]);
	}
	const server = lab.spawn(["busybox", "httpd", "-f", "-p", "8077", "-h", FOLDER]);
	return {
		sum,
		close: async () => {
			server.kill();
			await lab.exec(["sh", "-c", "for pid in $(pgrep -f 'httpd -f -p 8077'); do kill $pid; done"]);
			for (const command of undo) await lab.exec(command);
		},
	};
}

/** A guest's shell on a console. */
export class GuestShell {
	readonly #serial: SerialSession;
	#commands = 0;

	private constructor(serial: SerialSession) {
		this.#serial = serial;
	}

	static async open(lab: Lab, guest: GuestDocument, label: string, readyMs: number): Promise<GuestShell> {
		const serial = await SerialSession.open(lab, guest, label);
		serial.write("\n");
		await serial.expect(/# /, readyMs);
		return new GuestShell(serial);
	}

	/** Runs a command line and answers what it prints. */
	async run(command: string, timeoutMs = COMMAND_MS): Promise<string> {
		const mark = `${++this.#commands}`.padStart(3, "0");
		// The shell echoes the line: the marks are put together only when it is run.
		this.#serial.write(`echo B"E"${mark}; ${command}; echo E"N"${mark}=$?\n`);
		await this.#serial.expect(new RegExp(`BE${mark}\\r?\\n`), timeoutMs);
		const end = await this.#serial.expect(new RegExp(`([\\s\\S]*?)EN${mark}=(\\d+)`), timeoutMs);
		if (end[2] !== "0") throw new Error(`“${command}” in the guest ended with ${end[2]}: ${end[1]}`);
		return (end[1] ?? "").replaceAll("\r", "").trim();
	}

	/** Gives an interface an address, and fetches dom0's file over it. @returns its digest */
	async fetch(interfaceName: string, { net }: TestBridge, host = 2): Promise<string> {
		await this.run(`ifconfig ${interfaceName} ${net}.${host} netmask 255.255.255.0 up`);
		await this.run(`ping -c 2 -w 20 ${net}.1 >/dev/null`);
		const output = await this.run(`wget -q -O - http://${net}.1:8077/payload | sha256sum`);
		return output.slice(0, 64);
	}

	/** The name of the interface that has an address. */
	async interfaceOf(mac: string): Promise<string> {
		return this.run(`grep -l ${mac} /sys/class/net/*/address | cut -d/ -f5`);
	}

	close(): void {
		this.#serial.close();
	}
}
