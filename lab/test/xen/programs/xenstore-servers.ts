import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { DOM0, type DomId, domId } from "@bulkhead/base";
import { XENSTORED_SOCKET, XenstoreClient } from "@bulkhead/xenstore";
import {
	type ContractRow,
	contractRows,
	guestContractRows,
	type ServerKind,
	type XenstoreWorld,
} from "@bulkhead/xenstore/contract";
import type { Oxenstored } from "../../../src/oxenstored.ts";
import type { Row } from "./rows.ts";

/** Bytes of payload that pass the kernel's device in a guest. */
const DEVICE_PAYLOAD_BYTES = 4080;

/** The contract against the host's own xenstored, written in C or in OCaml; with rows about a guest when there is one. */
export function hostContract(kind: ServerKind, guest?: { domid: DomId; device: Duplex }): Row[] {
	const world: XenstoreWorld = {
		kind,
		// The second is oxenstored.conf's quota-path-max, as Xen brings it.
		longestPath: kind === "xenstored" ? 2048 : 1024,
		knowsDomains: true,
		connect: () => connectTo(XENSTORED_SOCKET),
		...(guest && {
			guest: {
				domid: guest.domid,
				client: XenstoreClient.over(guest.device, { payloadBytes: DEVICE_PAYLOAD_BYTES, requestTimeoutMs: 20_000 }),
			},
		}),
	};
	return contract(kind, () => world);
}

/** The contract against oxenstored, by socket, and its end. The server is only needed when a row runs. */
export function oxenstoredContract(server: () => Oxenstored): Row[] {
	const world = (): XenstoreWorld => ({
		kind: "oxenstored",
		knowsDomains: false,
		connect: () => server().connect(),
	});
	return [
		...contract("oxenstored", world, contractRows),
		{ name: "oxenstored: its end is told to all who wait, and nothing comes after", run: () => endOf(server()) },
	];
}

/** Names only: nothing is connected. */
export function hostContractNames(kind: ServerKind): string[] {
	return contract(kind, nobody).map(({ name }) => name);
}

/** The same of an oxenstored by itself. */
export function oxenstoredContractNames(): string[] {
	return oxenstoredContract(nobody).map(({ name }) => name);
}

function contract(
	server: string,
	world: () => XenstoreWorld,
	rows: readonly ContractRow[] = [...contractRows, ...guestContractRows],
): Row[] {
	return rows.map(({ name, run }) => ({ name: `${server}: ${name}`, run: () => run(world()) }));
}

const nobody = (): never => assert.fail("names only");

/** The connection is over for good when the server dies: our client says so everywhere, and does not reconnect. */
async function endOf(server: Oxenstored): Promise<undefined> {
	const client = XenstoreClient.over(await server.connect());
	const watch = client.watch("/");
	await watch.next();
	const ends = new Promise<{ code: string }>((resolve) => client.onClose(resolve));
	const outcomes = Promise.allSettled([
		watch.next(),
		client.transaction(async (tx) => {
			await tx.write("/a", "1");
			await server.kill();
			await tx.write("/b", "1");
		}),
		client.waitFor("/never", (value) => value !== undefined, { timeoutMs: 20_000 }),
	]);
	assert.equal((await ends).code, "xenstore-connection-lost");
	for (const outcome of await outcomes)
		assert.equal((outcome as PromiseRejectedResult).reason?.code, "xenstore-connection-lost");
	await assert.rejects(client.read("/a"), { code: "xenstore-connection-lost" });
	await assert.rejects(client.room(), { code: "xenstore-connection-lost" });
	assert.equal(
		(
			await client
				.watch("/a")
				.next()
				.catch((error) => error)
		).code,
		"xenstore-connection-lost",
	);
	assert.deepEqual(client.backlog, { requests: 0, bytes: 0 });
	await assert.rejects(XenstoreClient.connect({ path: server.path }), { code: "xenstore-connection-lost" });
	return undefined;
}

export function guestDomid(text: string): DomId {
	const domid = domId(text);
	assert.notEqual(domid, DOM0);
	return domid;
}

function connectTo(path: string): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connect(path);
		socket.once("error", reject);
		socket.once("connect", () => resolve(socket));
	});
}
