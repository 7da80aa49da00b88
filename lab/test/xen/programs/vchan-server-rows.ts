import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { DOM0, evtchnPort, grantRef } from "@bulkhead/base";
import { openVchanClient } from "@bulkhead/vchan";
import { XenstoreClient } from "@bulkhead/xenstore";
import { collect, collectInto, sha256 } from "./collect.ts";
import type { Row } from "./rows.ts";
import { inWorld, ServedVchan, type World } from "./served-vchan.ts";
import { forgetTestNode, TEST_NODES } from "./test-nodes.ts";
import { STEP_MS, soon } from "./waits.ts";

const RECONNECTS = 30;

type Body = (world: World, echo: string) => Promise<Record<string, unknown> | undefined>;

const BODIES: Record<string, Body> = {
	"our server: Xen's client sends a MiB and gets it back": async (world) => {
		const served = await ServedVchan.open(world, { serve: (session) => void session.pipe(session) });
		try {
			await served.startProxy();
			const socket = served.connect();
			const sent = randomBytes(1024 * 1024);
			const started = performance.now();
			socket.write(sent);
			assert.equal(sha256(await soon("the echo", collect(socket, sent.length))), sha256(sent));
			const ms = performance.now() - started;
			socket.destroy();
			return { kibPerSecondEachWay: Math.round((1024 * 1000) / ms) };
		} finally {
			await served.close();
		}
	},
	"our server: Xen's client comes back again and again at once, and is greeted each time": async (world) => {
		const served = await ServedVchan.open(world, { serve: (session) => void session.resume().write("greeting\n") });
		try {
			await served.startProxy();
			for (let round = 0; round < RECONNECTS; round++) {
				const socket = served.connect();
				const text = (await soon(`greeting ${round}`, collect(socket, 9))).toString();
				assert.ok(text.startsWith("greeting\n"), text);
				socket.destroy();
			}
			return { reconnects: RECONNECTS };
		} finally {
			await served.close();
		}
	},
	"our server: Xen's client that is killed ends the session": async (world) => {
		const served = await ServedVchan.open(world, { serve: (session) => void session.resume().write("hello") });
		try {
			await served.startProxy();
			const socket = served.connect();
			await soon("the greeting", collect(socket, 5));
			const [session] = served.sessions;
			assert.ok(session);
			const ended = once(session, "close");
			await served.killProxy();
			await soon("the session's end", ended);
			return undefined;
		} finally {
			await served.close();
		}
	},
	"both ends ours: rings of many pages carry a MiB each way, and clients come back": async (world) => {
		const served = await ServedVchan.open(world, {
			leftOrder: 14,
			rightOrder: 16,
			serve: (session) => void session.pipe(session),
		});
		try {
			const { ringRef, port: remotePort } = served.server;
			const { grants, evtchns } = world.host;
			const sent = randomBytes(1024 * 1024);
			const started = performance.now();
			const rounds = 20;
			for (let round = 0; round < rounds; round++) {
				const client = openVchanClient({ grants, evtchns, domid: DOM0, ringRef, remotePort });
				const bytes = round === 0 ? sent : sent.subarray(0, 10_000);
				client.write(bytes);
				assert.equal(sha256(await soon("the echo", collect(client, bytes.length))), sha256(bytes));
				await client.close();
			}
			// One that comes back before the server has looked goes on with the session that there is.
			assert.ok(served.sessions.length >= 1 && served.sessions.length <= rounds);
			return { sessions: served.sessions.length, ms: Math.round(performance.now() - started) };
		} finally {
			await served.close();
		}
	},
	"our server: libxenvchan's own client uses rings of many pages": async (world, echo) => {
		const served = await ServedVchan.open(world, {
			leftOrder: 13,
			rightOrder: 14,
			serve: (session) => void session.pipe(session),
		});
		try {
			const client = spawn(echo, ["client", `${DOM0}`, await served.publish(), `${1024 * 1024}`], { stdio: "ignore" });
			assert.deepEqual(await soon("the client's end", once(client, "exit")), [0, null]);
			return undefined;
		} finally {
			await served.close();
		}
	},
	"our client: libxenvchan's own server offers rings of many pages, read into one place": async (
		{ host: { grants, evtchns } },
		echo,
	) => {
		const path = `${TEST_NODES}/echo-${process.pid}`;
		const store = await XenstoreClient.connect();
		const server = spawn(echo, ["server", `${DOM0}`, path, "65536", "16384"], { stdio: "ignore" });
		try {
			const wait = { timeoutMs: STEP_MS, what: "libxenvchan's server" };
			await store.waitFor(`${path}/event-channel`, (port) => port !== undefined, wait);
			const client = openVchanClient({
				grants,
				evtchns,
				domid: DOM0,
				ringRef: grantRef(await store.readText(`${path}/ring-ref`)),
				remotePort: evtchnPort(await store.readText(`${path}/event-channel`)),
			});
			const sent = randomBytes(1024 * 1024);
			client.write(sent);
			const echoed = collectInto(Buffer.alloc(10_000), client, sent.length);
			assert.equal(sha256(await soon("the echo", echoed)), sha256(sent));
			await client.close();
			assert.deepEqual(await soon("the server's end", once(server, "exit")), [0, null]);
			return undefined;
		} finally {
			server.kill("SIGKILL");
			await forgetTestNode(store, path);
			store.close();
		}
	},
};

/** @param echo vchan-echo.c, as a program */
export function vchanServerRows(echo = ""): Row[] {
	return Object.entries(BODIES).map(([name, body]) => ({ name, run: () => inWorld((world) => body(world, echo)) }));
}
