import type { Lab } from "@bulkhead/lab";
import { BENCH_DIRECTORY } from "../create/bench-guest.ts";
import { writeDom0File } from "../create/prepare-dom0.ts";
import { LineProgram } from "../line-program.ts";

export const CONSOLE_SERVERS = ["xenconsoled", "QEMU in dom0", "relay, pty", "relay, socket"] as const;
export type ConsoleServer = (typeof CONSOLE_SERVERS)[number];

export const ECHOES = 100;
export const PUMP: string = `${BENCH_DIRECTORY}/console-pump.mjs`;

const NAMES = { xl: "bench-xl", pty: "bench-pty", socket: "bench-socket" } as const;
const CREATE_TIMEOUT_MS = 240_000;
/** xl 4.17 loses the first channel of a list (its number is console 0's): the second is console 1. */
const CHANNELS = 'channel = [ "name=lost,connection=pty", "name=bench,connection=pty" ]';

/** What a shell runs on a console: a hundred echoes, then as many bytes as each line asks for. */
const SERVE = `stty raw -echo; echo RE''ADY; dd bs=1 count=${ECHOES} 2>/dev/null; while read n; do head -c $n /dev/zero; done`;

/** The same PV guest three times, each console with its pump, ready to be measured. */
export async function startConsoles(lab: Lab): Promise<Record<ConsoleServer, LineProgram>> {
	for (const [key, name] of Object.entries(NAMES)) {
		const file = `${BENCH_DIRECTORY}/${name}.cfg`;
		const text = await lab.run(["sed", `s/^name.*/name = "${name}"/`, "/etc/bulkhead/examples/pv.cfg"]);
		await writeDom0File(lab, file, key === "xl" ? `${text}\n${CHANNELS}\n` : text);
		await lab.run([key === "xl" ? "xl" : "bulkhead", "create", file], { timeoutMs: CREATE_TIMEOUT_MS });
	}
	const domid = (await lab.run(["xl", "domid", NAMES.xl])).trim();
	const node = async (path: string): Promise<string> =>
		(await lab.run(["xenstore-read", `/local/domain/${domid}/${path}`])).trim();
	const pump = async (name: string, path: string): Promise<LineProgram> => {
		const program = LineProgram.start(lab, `pump of ${name}`, ["node", PUMP, path]);
		await program.next();
		return program;
	};
	const own = async (name: string): Promise<{ ptyPath: string; socketPath: string }> =>
		JSON.parse(await lab.run(["bulkhead", "--json", "list", "-l", name]))[0].consoles[0];
	const first = await pump("xenconsoled", await node("console/tty"));
	await awaitShell(first);
	const second = await pump("QEMU", await node("device/console/1/tty"));
	await first.ask(`type (${SERVE}) </dev/hvc1 >/dev/hvc1 &`);
	await second.ask("await READY");
	const consoles: Record<ConsoleServer, LineProgram> = {
		xenconsoled: first,
		"QEMU in dom0": second,
		"relay, pty": await pump("relay, pty", (await own(NAMES.pty)).ptyPath),
		"relay, socket": await pump("relay, socket", (await own(NAMES.socket)).socketPath),
	};
	for (const server of ["relay, pty", "relay, socket"] as const) await awaitShell(consoles[server]);
	for (const server of ["xenconsoled", "relay, pty", "relay, socket"] as const) {
		await consoles[server].ask(`type ${SERVE}`);
		await consoles[server].ask("await READY");
	}
	return consoles;
}

export async function endConsoles(lab: Lab, consoles: readonly LineProgram[]): Promise<void> {
	for (const program of consoles) await program.close();
	await lab.exec(["xl", "destroy", NAMES.xl], { timeoutMs: CREATE_TIMEOUT_MS });
	for (const name of [NAMES.pty, NAMES.socket])
		await lab.exec(["bulkhead", "destroy", name], { timeoutMs: CREATE_TIMEOUT_MS });
}

/** A line is typed at once: the terminal keeps it until the shell runs. */
async function awaitShell(pump: LineProgram): Promise<void> {
	await pump.ask("type echo HE''RE");
	await pump.ask("await HERE");
}
