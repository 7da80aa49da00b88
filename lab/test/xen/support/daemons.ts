import { type IncomingMessage, request } from "node:http";
import type { Lab } from "../../../src/lab.ts";
import { eventually, ok, run, TIMEOUT_MS } from "./dom0.ts";

export type Daemon = "bulkheadd" | "bulkhead-relay";

/** The process id of a daemon in dom0, or undefined while it is down. */
export async function pidOf(lab: Lab, daemon: Daemon): Promise<number | undefined> {
	const { stdout } = await run(lab, ["pgrep", "-f", `/${daemon}.mjs`]);
	const pid = Number(stdout.trim().split("\n")[0]);
	return pid > 0 ? pid : undefined;
}

/** Kills daemons with SIGKILL and waits until their supervisor has started each anew. */
export async function killAndAwaitRestart(lab: Lab, ...daemons: Daemon[]): Promise<void> {
	const before = new Map<Daemon, number | undefined>();
	for (const daemon of daemons) before.set(daemon, await pidOf(lab, daemon));
	await ok(lab, ["kill", "-9", ...[...before.values()].map(String)]);
	for (const daemon of daemons) await awaitRestart(lab, daemon, before.get(daemon));
	await awaitReady(lab);
}

/** Waits for a process of the daemon other than `oldPid`. */
export async function awaitRestart(lab: Lab, daemon: Daemon, oldPid: number | undefined): Promise<void> {
	await eventually(`${daemon} to be started anew`, async () => {
		const pid = await pidOf(lab, daemon);
		return pid !== undefined && pid !== oldPid ? pid : undefined;
	});
}

/** Waits until bulkheadd answers and has its relay. */
export async function awaitReady(lab: Lab): Promise<void> {
	await eventually("bulkheadd and its relay to answer", async () => {
		const { exitCode, stdout } = await run(lab, ["bulkhead", "--json", "info"]);
		return exitCode === 0 && JSON.parse(stdout).relay.connected === true ? true : undefined;
	});
}

/** Posts a create request with a fault header, as no CLI does, and answers the lines that came before its end. */
export async function createWithFault(lab: Lab, file: string, fault: string): Promise<Record<string, unknown>[]> {
	const configText = await ok(lab, ["cat", file]);
	const body = JSON.stringify({ configText, file, baseDir: "/", overrides: [], paused: false, dryRun: false });
	const headers = { "content-type": "application/json", "x-bulkhead-fault": fault };
	const answer = await new Promise<IncomingMessage>((resolve, reject) => {
		const signal = AbortSignal.timeout(TIMEOUT_MS);
		request({ socketPath: lab.paths.daemonSocket, path: "/v1/guests", method: "POST", headers, signal }, resolve)
			.once("error", reject)
			.end(body);
	});
	let text = "";
	try {
		for await (const chunk of answer.setEncoding("utf8")) text += chunk;
	} catch {
		// A daemon that was killed ends its answer in the middle.
	}
	return text
		.split("\n")
		.filter(Boolean)
		.map((line) => JSON.parse(line));
}
