import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

/** A program beside this file as JavaScript that a worker thread runs. @returns its path */
export async function bundledWorker(name: string, directory: string): Promise<string> {
	const file = join(directory, `${name}.mjs`);
	await build({
		input: fileURLToPath(new URL(`${name}.ts`, import.meta.url)),
		platform: "node",
		resolve: { conditionNames: ["bulkhead-source", "node", "import"] },
		output: { file },
		logLevel: "silent",
	});
	return file;
}
