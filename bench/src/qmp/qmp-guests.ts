import { DeadlineError, delay } from "@bulkhead/base";
import type { Lab } from "@bulkhead/lab";
import { BENCH_DIRECTORY, configText, FASTEST_FILES, TINY_IMAGE } from "../create/bench-guest.ts";
import { writeDom0File } from "../create/prepare-dom0.ts";
import { findProxySocket } from "./proxy-socket.ts";

export const QMP_SERVERS = ["C proxy", "relay"] as const;
export type QmpServer = (typeof QMP_SERVERS)[number];

const NAMES: Record<QmpServer, string> = { "C proxy": "bench-q-xl", relay: "bench-q" };
const CREATE_TIMEOUT_MS = 240_000;
const SOCKET_TIMEOUT_MS = 60_000;
const POLL_MS = 500;

/** xl leaves a child behind that would hold its output open. */
const XL_CREATE =
	'mkdir -p /var/log/xen && xl create -p "$1" >"$1.log" 2>&1 </dev/null || { cat "$1.log" >&2; exit 1; }';
const COMMAND_LINES = "for each in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <\"$each\" 2>/dev/null && echo; done; true";

/**
 * The same guest with the same stub domain twice, as a stub's QMP has one client: one of xl's, whose client is Xen's
 * vchan-socket-proxy, and one of Bulkhead's, whose client is the relay. Both stay paused: only their QEMUs run.
 * @returns the unix sockets for programs that speak QMP
 */
export async function startQmpGuests(lab: Lab): Promise<Record<QmpServer, string>> {
	await lab.run(["mkdir", "-p", BENCH_DIRECTORY]);
	const xlConfig = await placeConfig(lab, "C proxy");
	await lab.run(["sh", "-c", XL_CREATE, "create", xlConfig], { timeoutMs: CREATE_TIMEOUT_MS });
	const domid = Number(await lab.run(["xl", "domid", NAMES["C proxy"]]));
	const config = await placeConfig(lab, "relay");
	const created = await lab.run(["bulkhead", "--json", "create", "--paused", config], { timeoutMs: CREATE_TIMEOUT_MS });
	const { guest } = JSON.parse(created) as { guest: { uuid: string } };
	const reader = `/run/bulkhead/relay/guests/${guest.uuid}/qmp/reader.sock`;
	return {
		"C proxy": await awaitSocket(lab, "the socket of vchan-socket-proxy", async () => {
			const lines = (await lab.run(["sh", "-c", COMMAND_LINES])).split("\n");
			return findProxySocket(lines, domid);
		}),
		relay: await awaitSocket(lab, "the relay's socket for readers", async () => reader),
	};
}

export async function endQmpGuests(lab: Lab): Promise<void> {
	await lab.exec(["xl", "destroy", NAMES["C proxy"]], { timeoutMs: CREATE_TIMEOUT_MS });
	await lab.exec(["bulkhead", "destroy", NAMES.relay], { timeoutMs: CREATE_TIMEOUT_MS });
}

/** With a disk of its own: xl refuses to share one that is written to. @returns the config's place */
async function placeConfig(lab: Lab, server: QmpServer): Promise<string> {
	const name = NAMES[server];
	const diskPath = `${BENCH_DIRECTORY}/${name}.img`;
	const file = `${BENCH_DIRECTORY}/${name}.cfg`;
	await lab.run(["cp", TINY_IMAGE, diskPath]);
	await writeDom0File(lab, file, configText({ name, diskPath, stub: FASTEST_FILES }));
	return file;
}

/** @throws DeadlineError */
async function awaitSocket(lab: Lab, what: string, find: () => Promise<string | undefined>): Promise<string> {
	const limit = performance.now() + SOCKET_TIMEOUT_MS;
	for (;;) {
		const path = await find();
		if (path && (await lab.exec(["test", "-S", path])).exitCode === 0) return path;
		if (performance.now() > limit) throw new DeadlineError(`Waited ${SOCKET_TIMEOUT_MS} ms in vain for ${what}`);
		await delay(POLL_MS);
	}
}
