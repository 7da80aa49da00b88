import assert from "node:assert/strict";
import { DOM0, withDeadline } from "@bulkhead/base";
import { XenstoreError } from "../errors.ts";
import { XenstoreClient } from "../xenstore-client.ts";
import { RawConnection } from "./raw-connection.ts";
import type { ContractRow, GuestConnection, ServerKind, XenstoreWorld } from "./world.ts";

const BASE = "/bulkhead-contract";
const REQUEST_TIMEOUT_MS = 20_000;
const ROW_TIMEOUT_MS = 120_000;

/** What one row has to play with. Everything is closed, and its directory removed, when the row is over. */
export interface Stage {
	readonly world: XenstoreWorld;
	/** A connection as domain 0. */
	readonly client: XenstoreClient;
	/** A directory of the row's own, which exists. */
	readonly root: string;
	/** One more connection as domain 0. */
	another(): Promise<XenstoreClient>;
	/** `payloadBytes`: of replies, for a server that exceeds the protocol. */
	raw(limits?: { payloadBytes: number }): Promise<RawConnection>;
}

/** Sentences and what proves them. What a body answers is printed when it is an object. */
export type RowTable = Record<string, (stage: Stage) => Promise<unknown>>;

export function rows(area: string, table: RowTable): ContractRow[] {
	return Object.entries(table).map(([sentence, prove], index) => ({
		name: `${area}: ${sentence}`,
		run: (world) => onStage(world, `${BASE}/${area.replaceAll(" ", "-")}-${index}`, prove),
	}));
}

/** Rows that need a domain; `guest` is that domain, and the row's directory is one that it may write. */
export function guestRows(
	area: string,
	table: Record<string, (stage: Stage, guest: GuestConnection) => Promise<unknown>>,
): ContractRow[] {
	return rows(
		area,
		Object.fromEntries(
			Object.entries(table).map(([sentence, prove]) => [
				sentence,
				async (stage: Stage) => {
					const { guest } = stage.world;
					assert.ok(guest, "this world has no guest");
					await stage.client.setPermissions(stage.root, [{ domid: guest.domid, access: "none" }]);
					return prove(stage, guest);
				},
			]),
		),
	);
}

/** What this server answers, where the two differ. `because` is for the reader. */
export function differs<T>(
	{ world }: { world: { kind: ServerKind } },
	answers: Record<ServerKind, T> & { because: string },
): T {
	return answers[world.kind];
}

/** The errno of a refused request. */
export async function refusalOf(request: Promise<unknown>): Promise<string> {
	try {
		await request;
	} catch (error) {
		assert.ok(error instanceof XenstoreError, `expected a XenstoreError, got ${String(error)}`);
		return error.errno;
	}
	return "no refusal";
}

async function onStage(
	world: XenstoreWorld,
	root: string,
	prove: RowTable[string],
): Promise<Record<string, unknown> | undefined> {
	const open: { close(): void }[] = [];
	const rawOpen: { close(): void }[] = [];
	const another = async (): Promise<XenstoreClient> => {
		const client = XenstoreClient.over(await world.connect(), { requestTimeoutMs: REQUEST_TIMEOUT_MS });
		open.push(client);
		return client;
	};
	const raw: Stage["raw"] = async (limits) => {
		const connection = new RawConnection(await world.connect(), limits);
		rawOpen.push(connection);
		return connection;
	};
	const client = await another();
	try {
		await client.put(root, "", [{ domid: DOM0, access: "none" }]);
		const proved = prove({ world, client, root, another, raw });
		const figures = await withDeadline(proved, { timeoutMs: ROW_TIMEOUT_MS, what: "the row" });
		return typeof figures === "object" && figures !== null ? { ...figures } : undefined;
	} finally {
		// First: one that a row left in the middle of a message may hold up the server.
		for (const each of rawOpen) each.close();
		try {
			await client.remove(root);
			if ((await client.findList(BASE))?.length === 0) await client.remove(BASE);
		} finally {
			for (const each of open) each.close();
		}
	}
}
