import { rolldown } from "rolldown";

/** A program of this package with what it imports as one ESM file, as dom0 has Node and no packages. */
export async function bundleForDom0(entry: string): Promise<string> {
	const bundle = await rolldown({
		input: entry,
		platform: "node",
		resolve: { conditionNames: ["bulkhead-source", "node", "import", "default"] },
		external: [/\.node$/],
		logLevel: "warn",
	});
	try {
		const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
		return output[0].code;
	} finally {
		await bundle.close();
	}
}
