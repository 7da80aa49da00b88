import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { domId } from "@bulkhead/base";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { contractRows, guestContractRows, type XenstoreWorld } from "../../src/contract/index.ts";
import { XenstoreClient } from "../../src/index.ts";
import { XenstoreServer } from "../../src/server/index.ts";

const GUEST = domId(7);

describe("the in-memory xenstored keeps the contract", () => {
	let directory: string;
	let server: XenstoreServer;
	let guest: XenstoreClient;
	let world: XenstoreWorld;

	beforeAll(async () => {
		directory = await mkdtemp(join(tmpdir(), "xenstore-contract-"));
		const path = join(directory, "socket");
		server = await XenstoreServer.listen(path, { domainExists: (domid) => domid < 30_000 });
		server.host.write(`/local/domain/${GUEST}`, "", [
			{ domid: domId(0), access: "none" },
			{ domid: GUEST, access: "read" },
		]);
		server.introduceDomain(GUEST);
		guest = XenstoreClient.over(server.connectDomain(GUEST));
		world = {
			kind: "xenstored",
			knowsDomains: true,
			connect: () =>
				new Promise<Socket>((resolve, reject) => {
					const socket = connect(path);
					socket.once("error", reject);
					socket.once("connect", () => resolve(socket));
				}),
			guest: { domid: GUEST, client: guest },
		};
	});

	afterAll(async () => {
		guest?.close();
		await server?.close();
		await rm(directory, { recursive: true });
	});

	test.each([...contractRows, ...guestContractRows])("$name", async ({ run }) => {
		await run(world);
	});

	it("is left as it was", async () => {
		await expect.poll(() => server.counts).toMatchObject({ watches: 0, transactions: 0, clients: 0 });
		expect(Object.keys(server.host.toJSON()).filter((path) => path.includes("bulkhead"))).toEqual([]);
		server.assertIdle();
	});
});
