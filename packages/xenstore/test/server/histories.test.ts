import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { domId } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import {
	CHOICES_PER_STEP,
	describeStep,
	type HistoryShape,
	makeStep,
	randomHistory,
	runHistory,
	type Step,
	WireClient,
} from "../../src/contract/histories/index.ts";
import { XenstoreServer } from "../../src/server/index.ts";

const STRANGER = 32_000;
const DOMAINS: HistoryShape = { dom0Clients: 2, domids: [1, 2, 3], stranger: STRANGER };
/** What a real host without other domains can play too. */
const DOM0_ALONE: HistoryShape = { dom0Clients: 3, domids: [], stranger: STRANGER };

const choices = fc.array(fc.nat(0xffff), { minLength: CHOICES_PER_STEP, maxLength: CHOICES_PER_STEP });

async function play(shape: HistoryShape, steps: readonly Step[]): Promise<void> {
	await using server = new XenstoreServer({ domainExists: (domid) => domid !== STRANGER });
	for (const domid of shape.domids) server.introduceDomain(domId(domid));
	await runHistory(shape, steps, async (domid) =>
		domid === 0 ? new WireClient(server.connectClient()) : new WireClient(server.connectDomain(domId(domid))),
	);
	for (const domid of shape.domids) server.domainGone(domId(domid));
	await expect
		.poll(() => server.counts, { interval: 1 })
		.toMatchObject({ clients: 0, watches: 0, transactions: 0, domains: 1 });
	server.assertIdle();
}

describe("histories of several clients", () => {
	property.prop([fc.array(choices, { minLength: 5, maxLength: 60 })], { numRuns: 150 })(
		"agree with the model, domains and permissions included",
		async (rows) =>
			play(
				DOMAINS,
				rows.map((row) => makeStep(DOMAINS, row)),
			),
		60_000,
	);

	it.each(Array.from({ length: 25 }, (_, index) => [1 + index]))(
		"agree with the model over 400 steps, seed %i",
		async (seed) => play(DOMAINS, randomHistory(DOMAINS, seed, 400)),
	);

	it("agree with the model by the socket, as in the lab", async () => {
		const directory = await mkdtemp(join(tmpdir(), "xenstore-histories-"));
		try {
			await using server = await XenstoreServer.listen(join(directory, "socket"), {
				domainExists: (domid) => domid !== STRANGER,
			});
			for (const seed of [1, 2, 3])
				await runHistory(DOM0_ALONE, randomHistory(DOM0_ALONE, seed, 300), () =>
					WireClient.open(join(directory, "socket")),
				);
			await expect.poll(() => server.counts.clients).toBe(0);
			server.assertIdle();
		} finally {
			await rm(directory, { recursive: true });
		}
	});

	it("are the same for the same seed", () => {
		expect(randomHistory(DOMAINS, 7, 50).map(describeStep)).toEqual(randomHistory(DOMAINS, 7, 50).map(describeStep));
		expect(randomHistory(DOMAINS, 7, 50)).not.toEqual(randomHistory(DOMAINS, 8, 50));
	});
});
