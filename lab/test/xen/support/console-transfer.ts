import { once } from "node:events";
import type { Lab } from "../../../src/lab.ts";
import { SerialSession } from "../../../src/serial-session.ts";
import { eventually, ok, run } from "./dom0.ts";
import type { GuestDocument } from "./guests.ts";

const INPUT = "/tmp/console-input";
const OUTPUT = "/tmp/console-output";
const PID = "/tmp/console-pid";
const MARK_MS = 60_000;

/** SHA-256 as one end has it and as the other has it. */
export interface Sums {
	inDom0: string;
	inGuest: string;
}

export interface TransferOptions {
	bytes: number;
	/** For the whole of it. */
	timeoutMs: number;
	/** Parts of it that have gone, 0 … 1: at each of them `disturb` is called and waited for. */
	at: readonly number[];
	disturb: () => Promise<void>;
}

/** A PV guest's console, its shell waiting: random bytes from the guest, which `bulkhead console` reads in dom0. */
export async function readFromGuest(lab: Lab, guest: GuestDocument, options: TransferOptions): Promise<Sums> {
	const { bytes, timeoutMs } = options;
	const serial = await SerialSession.open(lab, guest, "pv");
	try {
		serial.write(
			`head -c ${bytes} /dev/urandom > /tmp/sent; stty raw -echo; echo MA''DE; head -n 1; printf BEG''IN; cat /tmp/sent; sha256sum < /tmp/sent; echo all-$((3 * 3)); stty sane; rm /tmp/sent\n`,
		);
		await serial.expect(/MADE/, MARK_MS);
		const reader = lab.spawn(["sh", "-c", FOLLOW, "read", `${timeoutMs / 1000}`, guest.uuid, OUTPUT]);
		const read = once(reader, "close");
		await eventually("somebody to read", async () => ((await sizeOf(lab)) > 0 ? true : undefined));
		serial.write("go\n");
		await disturbAt(() => sizeOf(lab), options);
		const [status] = await read;
		if (status !== 0) throw new Error(`bulkhead console ended with ${status}`);
		return JSON.parse(await ok(lab, ["node", "-e", SUMS, OUTPUT, `${bytes}`])) as Sums;
	} finally {
		serial.close();
		await ok(lab, ["rm", "-f", OUTPUT]);
	}
}

/** The other way: random bytes that `bulkhead console` has at its standard input in dom0. */
export async function writeToGuest(lab: Lab, guest: GuestDocument, options: TransferOptions): Promise<Sums> {
	const { bytes, timeoutMs } = options;
	const serial = await SerialSession.open(lab, guest, "pv");
	serial.write(`stty raw -echo; echo REA''DY; head -c ${bytes} | sha256sum; echo all-$((3 * 3)); stty sane\n`);
	await serial.expect(/READY/, MARK_MS);
	serial.close();
	try {
		await ok(lab, ["sh", "-c", `head -c ${bytes} /dev/urandom > ${INPUT}`]);
		const writer = lab.spawn(["sh", "-c", TYPE, "write", `${timeoutMs / 1000}`, guest.uuid, INPUT, OUTPUT]);
		const written = once(writer, "close");
		await disturbAt(() => positionIn(lab), options);
		const [status] = await written;
		if (status !== 0) throw new Error(`bulkhead console ended with ${status}`);
		const [inGuest = ""] = /[0-9a-f]{64}/.exec(await ok(lab, ["cat", OUTPUT])) ?? [];
		const [inDom0 = ""] = (await ok(lab, ["sha256sum", INPUT])).split(" ");
		return { inDom0, inGuest };
	} finally {
		await ok(lab, ["rm", "-f", INPUT, OUTPUT, PID]);
	}
}

/** Follows a console into a file until the guest has said that it is done. */
const FOLLOW = `exec timeout "$1" bulkhead console -r -t pv --from tail --until all-9 "$2" > "$3" 2>/dev/null`;
const TYPE = `echo $$ > ${PID}; exec timeout "$1" bulkhead console -t pv --until all-9 "$2" < "$3" > "$4" 2>/dev/null`;

/** Of what was read: the sum of the bytes after the mark, and the sum that the guest has named. */
const SUMS = `
const output = require("fs").readFileSync(process.argv[1]);
const begin = output.indexOf("BEGIN") + 5;
const end = begin + Number(process.argv[2]);
const inDom0 = require("crypto").createHash("sha256").update(output.subarray(begin, end)).digest("hex");
const [inGuest] = /[0-9a-f]{64}/.exec(output.subarray(end).toString("latin1")) ?? [];
console.log(JSON.stringify({ inDom0, inGuest }));
`;

async function disturbAt(
	progress: () => Promise<number>,
	{ bytes, timeoutMs, at, disturb }: TransferOptions,
): Promise<void> {
	for (const part of at) {
		const isThere = async (): Promise<true | undefined> => ((await progress()) > part * bytes ? true : undefined);
		await eventually(`${part} of the transfer`, isThere, timeoutMs);
		await disturb();
	}
}

/** -1 while there is no file. */
async function sizeOf(lab: Lab): Promise<number> {
	const { exitCode, stdout } = await run(lab, ["stat", "-c", "%s", OUTPUT]);
	return exitCode === 0 ? Number(stdout) : -1;
}

/** How much of its standard input the writer has read; -1 before it runs. */
async function positionIn(lab: Lab): Promise<number> {
	const { stdout } = await run(lab, ["sh", "-c", `cat /proc/$(cat ${PID})/fdinfo/0`]);
	return Number(/^pos:\s+(\d+)/m.exec(stdout)?.[1] ?? -1);
}
