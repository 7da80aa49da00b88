import { CancelledError, DeadlineError } from "@bulkhead/base";
import { describe, expect, it } from "vitest";
import { StepFailedError } from "../src/errors.ts";
import { execute, type Plan, parallel, type StepActions, type StepProgress, serial, step } from "../src/executor.ts";

type Toy =
	| { name: "add"; what: string }
	| { name: "wait"; what: string }
	| { name: "fail"; what: string }
	| { name: "stuck"; what: string };

interface World {
	present: string[];
	history: string[];
}

const add = (what: string): Plan<Toy> => step({ name: "add", what });
const wait = (what: string): Plan<Toy> => step({ name: "wait", what });
const fail = (what: string): Plan<Toy> => step({ name: "fail", what });
const stuck = (what: string): Plan<Toy> => step({ name: "stuck", what });

function untilAborted(signal: AbortSignal): Promise<never> {
	return new Promise((_, reject) => {
		const abort = (): void => reject(new CancelledError("Stopped", { cause: signal.reason }));
		if (signal.aborted) abort();
		else signal.addEventListener("abort", abort, { once: true });
	});
}

const remove = async ({ what }: { what: string }, world: World): Promise<void> => {
	world.present = world.present.filter((present) => present !== what);
	world.history.push(`undo ${what}`);
};

const actions: StepActions<Toy, World> = {
	add: {
		title: ({ what }) => `Adding ${what}`,
		timeoutMs: 1000,
		run: async ({ what }, world) => {
			world.present.push(what);
			world.history.push(`add ${what}`);
		},
		undo: remove,
	},
	wait: {
		title: ({ what }) => `Waiting for ${what}`,
		timeoutMs: 1000,
		run: async ({ what }, world, signal) => {
			world.present.push(what);
			await untilAborted(signal);
		},
		undo: remove,
	},
	fail: {
		title: ({ what }) => `Failing ${what}`,
		timeoutMs: 1000,
		run: async ({ what }, world) => {
			world.present.push(what);
			throw new Error(`${what} went wrong`);
		},
		undo: remove,
	},
	stuck: {
		title: ({ what }) => `Being stuck at ${what}`,
		timeoutMs: 5,
		run: async ({ what }, world, signal) => {
			world.present.push(what);
			await untilAborted(signal);
		},
		undo: remove,
	},
};

async function run(
	plan: Plan<Toy>,
	options: { signal?: AbortSignal; afterStep?: (index: number) => void } = {},
): Promise<{ world: World; progress: StepProgress[]; error: unknown }> {
	const world: World = { present: [], history: [] };
	const progress: StepProgress[] = [];
	const error = await execute(plan, actions, { context: world, onProgress: (p) => progress.push(p), ...options }).then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	return { world, progress, error };
}

describe("execute", () => {
	it("runs serial steps in order and reports each", async () => {
		const { world, progress, error } = await run(serial(add("a"), add("b")));
		expect(error).toBeUndefined();
		expect(world.present).toEqual(["a", "b"]);
		expect(progress.map(({ title, state }) => `${title}: ${state}`)).toEqual([
			"Adding a: start",
			"Adding a: done",
			"Adding b: start",
			"Adding b: done",
		]);
	});

	it("undoes everything begun in reverse order, the failed step included", async () => {
		const { world, error } = await run(serial(add("a"), parallel(add("b"), add("c")), fail("d"), add("e")));
		expect(error).toBeInstanceOf(StepFailedError);
		expect(error).toMatchObject({
			message: "Failing d failed",
			cause: { message: "d went wrong" },
			fields: { step: "fail" },
		});
		expect(world.present).toEqual([]);
		expect(world.history).toEqual(["add a", "add b", "add c", "undo d", "undo c", "undo b", "undo a"]);
	});

	it("stops parallel siblings, waits for them and throws the first real failure", async () => {
		const { world, error } = await run(parallel(wait("slow"), serial(add("a"), fail("b"))));
		expect(error).toMatchObject({ fields: { step: "fail" } });
		expect(world.present).toEqual([]);
	});

	it("stops a step at its deadline and says so", async () => {
		const { world, error } = await run(serial(add("a"), stuck("b")));
		expect(error).toMatchObject({ code: "deadline-exceeded", cause: expect.any(DeadlineError) });
		expect(world.present).toEqual([]);
	});

	it("undoes when the caller aborts", async () => {
		const controller = new AbortController();
		const finished = run(serial(add("a"), wait("b")), { signal: controller.signal });
		controller.abort(new Error("Ctrl-C"));
		const { world, error } = await finished;
		expect(error).toBeInstanceOf(CancelledError);
		expect(world.present).toEqual([]);
	});

	it("leaves nothing behind whichever step fails", async () => {
		const plan = serial(add("a"), parallel(add("b"), serial(add("c"), add("d"))), add("e"));
		for (let index = 0; index < 5; index++) {
			const { world, error } = await run(plan, {
				afterStep: (finished) => {
					if (finished === index) throw new Error(`Injected after step ${index}`);
				},
			});
			expect(error).toBeInstanceOf(StepFailedError);
			expect(world.present).toEqual([]);
		}
	});
});
