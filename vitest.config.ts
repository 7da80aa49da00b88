import { defineConfig, type TestProjectConfiguration } from "vitest/config";

const conditions = ["bulkhead-source"];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

const outsideXen = ["packages/*/test", "stubdom/test", "lab/test/unit", "bench/test"];
/** Takes a minute or more, or Debian's packages, the first time: `npm test` runs it, `npm run test:unit` does not. */
const system = outsideXen.map((folder) => `${folder}/**/*.system.test.ts`);

const onAnyXenstored = ["example", "lifecycle", "hotplug"].map((name) => `lab/test/xen/${name}.test.ts`);

/** Tests on real Xen: one after the other, in one lab. */
const inLab = (name: string, include: string[], testTimeout = 300_000): TestProjectConfiguration => ({
	...shared,
	test: {
		name,
		include,
		globalSetup: ["lab/test/xen/global-setup.ts"],
		fileParallelism: false,
		testTimeout,
		hookTimeout: 300_000,
	},
});

export default defineConfig({
	test: {
		maxWorkers: "100%",
		projects: [
			{
				...shared,
				test: {
					name: "unit",
					include: outsideXen.map((folder) => `${folder}/**/*.test.ts`),
					exclude: system,
					testTimeout: 20_000,
					// Tests keep nothing between files, and most of a file's time would be its imports.
					isolate: false,
				},
			},
			{
				...shared,
				test: { name: "system", include: system, testTimeout: 120_000, hookTimeout: 60 * 60_000 },
			},
			inLab("lab", ["lab/test/xen/**/*.test.ts"]),
			inLab("soak", ["lab/test/soak/**/*.test.ts"], 150 * 60_000),
			inLab("oxenstored", ["lab/test/oxenstored/**/*.test.ts", ...onAnyXenstored]),
		],
	},
});
