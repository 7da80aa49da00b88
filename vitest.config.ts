import { defineConfig } from "vitest/config";

const conditions = ["bulkhead-source"];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

const outsideXen = ["packages/*/test", "stubdom/test", "lab/test/unit", "bench/test"];
/** Takes a minute or more, or Debian's packages, the first time: `npm test` runs it, `npm run test:unit` does not. */
const system = outsideXen.map((folder) => `${folder}/**/*.system.test.ts`);

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
			{
				...shared,
				test: {
					name: "lab",
					include: ["lab/test/xen/**/*.test.ts"],
					globalSetup: ["lab/test/xen/global-setup.ts"],
					fileParallelism: false,
					testTimeout: 180_000,
					hookTimeout: 300_000,
				},
			},
			{
				...shared,
				test: {
					name: "soak",
					include: ["lab/test/soak/**/*.test.ts"],
					globalSetup: ["lab/test/xen/global-setup.ts"],
					fileParallelism: false,
					testTimeout: 60 * 60_000,
					hookTimeout: 300_000,
				},
			},
			{
				...shared,
				test: {
					name: "oxenstored",
					include: [
						"lab/test/oxenstored/**/*.test.ts",
						...["example", "lifecycle", "hotplug"].map((name) => `lab/test/xen/${name}.test.ts`),
					],
					globalSetup: ["lab/test/xen/global-setup.ts"],
					fileParallelism: false,
					testTimeout: 180_000,
					hookTimeout: 300_000,
				},
			},
		],
	},
});
