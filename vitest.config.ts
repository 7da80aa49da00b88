import { defineConfig } from "vitest/config";

const conditions = ["bulkhead-source"];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

export default defineConfig({
	test: {
		projects: [
			{
				...shared,
				test: {
					name: "unit",
					include: ["packages/*/test/**/*.test.ts", "stubdom/test/**/*.test.ts", "lab/test/unit/**/*.test.ts"],
					testTimeout: 20_000,
				},
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
		],
	},
});
