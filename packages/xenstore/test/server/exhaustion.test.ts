import type { Duplex } from "node:stream";
import { domId } from "@bulkhead/base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WireClient } from "../../src/contract/histories/index.ts";
import { DEFAULT_QUOTAS, XenstoreServer } from "../../src/server/index.ts";
import { encodeMessage, OPERATION, type Operation } from "../../src/wire/index.ts";

const GUEST = domId(5);
const FOLDER = `/local/domain/${GUEST}`;
const OK = { payload: "OK\0" };

let server: XenstoreServer;
let dom0: WireClient;
let ring: Duplex;

beforeEach(() => {
	server = new XenstoreServer();
	dom0 = new WireClient(server.connectClient());
	server.introduceDomain(GUEST);
	server.host.write(FOLDER, "", [{ domid: GUEST, access: "none" }]);
	ring = server.connectDomain(GUEST);
});

afterEach(async () => {
	dom0.close();
	await server.close();
});

/** How often the guest got it before it was refused, and with what. */
async function untilRefused(
	guest: WireClient,
	ask: (index: number) => ReturnType<WireClient["ask"]>,
): Promise<unknown[]> {
	for (let index = 0; ; index++) {
		const answer = await ask(index);
		if ("errno" in answer) return [index, answer.errno];
		// Unread events are not what is tested here.
		await guest.settle();
	}
}

function raw(operation: Operation, payload: string): Buffer {
	return encodeMessage({ type: OPERATION[operation], requestId: 1, transactionId: 0, payload: Buffer.from(payload) });
}

async function usage(name: string): Promise<number> {
	const answer = await dom0.ask("CONTROL", `quota\0${GUEST}\0`);
	const line = ("payload" in answer ? answer.payload : "").split("\n").find((each) => each.startsWith(name));
	return Number(line?.split(":")[1]);
}

/** What a domain can do to bring itself to one of its limits. */
const EXCESSES: Record<string, () => Promise<void>> = {
	"has all its nodes": async () => {
		const guest = new WireClient(ring);
		const refused = await untilRefused(guest, (index) => guest.ask("WRITE", `n${index}\0`));
		// Its own folder is one of them, and names of children make that too large before there are too many.
		expect(refused[1]).toBe("ENOSPC");
		for (let folder = 0; ; folder++) {
			const [made, errno] = await untilRefused(guest, (index) => guest.ask("WRITE", `n${folder}/n${index}\0`));
			expect(errno).toBe("ENOSPC");
			if (made === 0) break;
		}
		expect(await usage("nodes")).toBe(DEFAULT_QUOTAS.nodes);
	},
	"has all its watches": async () => {
		const guest = new WireClient(ring);
		const refused = await untilRefused(guest, (index) => guest.ask("WATCH", `/\0${index}\0`));
		expect(refused).toEqual([DEFAULT_QUOTAS.watches + 1, "E2BIG"]);
	},
	"has all its transactions open, each with as many nodes as it may": async () => {
		const guest = new WireClient(ring);
		const refused = await untilRefused(guest, () => guest.ask("TRANSACTION_START", "\0"));
		expect(refused).toEqual([DEFAULT_QUOTAS.transactions + 1, "ENOSPC"]);
		for (let id = 1; id <= DEFAULT_QUOTAS.transactions; id++) {
			const full = await untilRefused(guest, async (index) => {
				const answer = await guest.ask("READ", `none/${index}\0`, id);
				return "errno" in answer && answer.errno === "ENOENT" ? OK : answer;
			});
			expect(full[1]).toBe("ENOSPC");
		}
	},
	"has all its memory": async () => {
		const guest = new WireClient(ring);
		for (let index = 0; ; index++) {
			const answer = await guest.ask("WRITE", `m${index % 50}/${index}\0${"v".repeat(1980)}`);
			if ("errno" in answer) break;
		}
		const token = "t".repeat(2000);
		await untilRefused(guest, (index) => guest.ask("WATCH", `${"p".repeat(2000)}\0${token}${index}\0`));
		await guest.ask("TRANSACTION_START", "\0");
		// What a transaction copies is not refused; but then the domain is not listened to any more.
		for (let index = 0; index < 400; index++) void guest.ask("READ", `m${index % 50}/${index}\0`, 1).catch(() => {});
		await expect.poll(() => usage("memory")).toBeGreaterThanOrEqual(DEFAULT_QUOTAS.memory);
	},
	"does not read its answers": async () => {
		for (let index = 0; index < 2000; index++) ring.write(raw("DIRECTORY", `${FOLDER}\0`));
		await expect.poll(() => usage("outstanding")).toBeGreaterThanOrEqual(DEFAULT_QUOTAS.outstanding);
	},
	"does not read its events": async () => {
		for (let index = 0; index < 100; index++) ring.write(raw("WATCH", `/local\0${index}\0`));
		ring.on("data", () => {});
		await expect.poll(() => server.counts.watches).toBe(100);
		ring.removeAllListeners("data");
		ring.pause();
		for (let index = 0; index < 2000; index++) server.host.write(`${FOLDER}/e${index % 40}`, `${index}`);
	},
	"asks without end": async () => {
		ring.on("data", () => {});
		const burst = Buffer.concat(Array.from({ length: 100 }, (_, index) => raw("WRITE", `flood${index}\0`)));
		const more = (): void => {
			while (!ring.destroyed && ring.write(burst));
		};
		ring.on("drain", more);
		more();
		await expect.poll(() => usage("nodes")).toBeGreaterThan(10);
	},
};

describe("domain 0 is served as ever while a domain", () => {
	it.each(Object.entries(EXCESSES))("%s", async (_, exceed) => {
		await exceed();
		await dom0.ask("WATCH", "/host\0t\0");
		for (let index = 0; index < 200; index++) {
			expect(await dom0.ask("WRITE", `/host/${index}\0${"v".repeat(2000)}`)).toEqual(OK);
			expect(await dom0.ask("READ", `/host/${index}\0`)).toEqual({ payload: "v".repeat(2000) });
			const started = await dom0.ask("TRANSACTION_START", "\0");
			const id = Number.parseInt("payload" in started ? started.payload : "", 10);
			expect(await dom0.ask("WRITE", `/host/${index}/tx\0`, id)).toEqual(OK);
			expect(await dom0.ask("TRANSACTION_END", "T\0", id)).toEqual(OK);
		}
		expect((await dom0.settle()).length).toBe(401);
		// In the domain's own folder too, and of the domain itself.
		expect(await dom0.ask("WRITE", `${FOLDER}/control/shutdown\0poweroff`)).toEqual(OK);
		expect(await dom0.ask("SET_PERMS", `${FOLDER}/control/shutdown\0n5\0`)).toEqual(OK);
		expect(await dom0.ask("WRITE", `${FOLDER}/control/shutdown\0reboot`)).toEqual(OK);
		expect(await dom0.ask("RM", `${FOLDER}/control\0`)).toEqual(OK);
		await dom0.ask("RM", "/host\0");
		await dom0.ask("UNWATCH", "/host\0t\0");
		server.domainGone(GUEST);
		expect(server.counts).toEqual({ nodes: 5, watches: 0, transactions: 0, clients: 1, domains: 1 });
		server.assertIdle();
	});
});

describe("the server", () => {
	it("holds many connections, nodes and watches, tells only those concerned, and forgets them all", async () => {
		const [connections, nodes, watches] = [200, 20_000, 2000];
		const before = server.counts;
		for (let index = 0; index < nodes; index++) server.host.write(`/many/${index % 100}/${index}`, `${index}`);
		const clients = Array.from({ length: connections }, () => new WireClient(server.connectClient()));
		for (let index = 0; index < watches; index++)
			await clients[index % connections]?.ask("WATCH", `/many/${index % 100}/${index}\0${index}\0`);
		expect(server.counts).toEqual({
			...before,
			nodes: before.nodes + nodes + 101,
			clients: before.clients + connections,
			watches,
		});
		for (const client of clients) await client.settle();
		server.host.write("/many/7/107", "changed");
		for (const [index, client] of clients.entries())
			expect(await client.settle()).toEqual(index === 107 ? [{ path: "/many/7/107", token: "107" }] : []);
		expect(await dom0.ask("READ", "/many/99/19999\0")).toEqual({ payload: "19999" });
		server.host.remove("/many");
		for (const client of clients) client.close();
		await expect.poll(() => server.counts).toEqual(before);
		server.assertIdle();
	});
});
