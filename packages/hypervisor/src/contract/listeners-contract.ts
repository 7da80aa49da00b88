import assert from "node:assert/strict";
import { once } from "node:events";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from "node:net";
import { join } from "node:path";
import { type HandedListener, MOST_UNTAKEN } from "../ports/listeners.ts";
import type { ContractHost, ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";

export function listenersContract(open: OpenContractHost): ContractRow[] {
	const us = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
	return rows("listeners", open, {
		"a unix socket is handed over, served and closed, and its maker's copy can be handed over again": async (host) => {
			const { inbox, inboxPath } = openInbox(host);
			const path = join(host.scratchDir, "listener");
			const held = host.hypervisor.listeners.listen({ path, mode: 0o620, ...us });
			try {
				for (const token of ["first", "second"]) {
					held.handTo(inboxPath, token);
					const handed = inbox.take(token);
					assert.equal(inbox.take(token), undefined);
					assert.equal(await greet(handed, { path }), "hello");
				}
				if (host.abilities.deviceNodes) assert.equal(statSync(path).mode & 0o777, 0o620);
			} finally {
				held.close();
				held.close();
				inbox.close();
				rmSync(path, { force: true });
			}
		},
		"a TCP socket is handed over": async (host) => {
			const { inbox, inboxPath } = openInbox(host);
			const port = await freePort();
			const held = host.hypervisor.listeners.listen({ address: "127.0.0.1", port });
			try {
				held.handTo(inboxPath, "tcp");
				assert.equal(await greet(inbox.take("tcp"), { host: "127.0.0.1", port }), "hello");
			} finally {
				held.close();
				inbox.close();
			}
		},
		"what lies at a path is left there": async (host) => {
			const path = join(host.scratchDir, "file");
			writeFileSync(path, "mine");
			await refused(() => host.hypervisor.listeners.listen({ path, mode: 0o600, ...us }), "EADDRINUSE");
			assert.ok(statSync(path).isFile());
		},
		"what nobody has sent is not there, and what nobody takes is closed": async (host) => {
			const { inbox, inboxPath } = openInbox(host);
			assert.equal(inbox.take("nothing"), undefined);
			const path = join(host.scratchDir, "untaken");
			const held = host.hypervisor.listeners.listen({ path, mode: 0o600, ...us });
			const before = host.countHandles();
			for (let index = 0; index < 2 * MOST_UNTAKEN; index++) {
				held.handTo(inboxPath, `token-${index}`);
				assert.equal(inbox.take("nothing"), undefined);
			}
			if (host.abilities.deviceNodes) assert.equal(inbox.take("token-1"), undefined);
			inbox.take(`token-${2 * MOST_UNTAKEN - 1}`)?.close();
			inbox.close();
			assert.ok(host.countHandles() <= before);
			held.close();
			rmSync(path, { force: true });
		},
	});
}

function openInbox(host: ContractHost): { inbox: ReturnType<typeof host.rings.openListenerInbox>; inboxPath: string } {
	const inboxPath = join(host.scratchDir, "inbox");
	return { inbox: host.rings.openListenerInbox(inboxPath), inboxPath };
}

/** Serves it to one client, who is told "hello". */
async function greet(handed: HandedListener | undefined, place: NetConnectOpts): Promise<string> {
	assert.ok(handed);
	const server = createServer((socket) => socket.end("hello"));
	handed.serve(server);
	await once(server, "listening");
	const client: Socket = connect(place);
	const text: string = (await client.toArray()).join("");
	server.close();
	await once(server, "close");
	return text;
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, "close");
	return port;
}
