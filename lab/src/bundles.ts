import { access } from "node:fs/promises";
import { join } from "node:path";
import type { CpioEntry } from "@bulkhead/image";
import { rolldown } from "rolldown";

export const REPOSITORY: string = join(import.meta.dirname, "../..");

export interface Program {
	/** Entry point in the repository. */
	entry: string;
	/** Its place in dom0. */
	path: string;
	/** The service that runs it, if one does. */
	service?: string;
	/** The command that starts it, if there is one. */
	command?: string;
}

/** The programs of this project that dom0 gets, as far as they exist. */
const PROGRAMS: readonly Program[] = [
	{ entry: "packages/xenmgr/src/main.ts", path: "/usr/lib/bulkhead/bulkheadd.mjs", service: "bulkheadd" },
	{ entry: "packages/relay/src/main.ts", path: "/usr/lib/bulkhead/bulkhead-relay.mjs", service: "bulkhead-relay" },
	{ entry: "packages/cli/src/main.ts", path: "/usr/lib/bulkhead/bulkhead.mjs", command: "/usr/bin/bulkhead" },
];

/** The programs whose entry point exists. */
export async function existingPrograms(): Promise<Program[]> {
	const found = await Promise.all(PROGRAMS.map(({ entry }) => exists(join(REPOSITORY, entry))));
	return PROGRAMS.filter((_, at) => found[at]);
}

/** A program as one file, with the command or the service that starts it. */
export async function programEntries(program: Program): Promise<CpioEntry[]> {
	const content = await bundleProgram(join(REPOSITORY, program.entry));
	const entries: CpioEntry[] = [{ type: "file", path: program.path, content }];
	if (program.command) {
		const script = `#!/bin/sh\nexec node ${program.path} "$@"\n`;
		entries.push({ type: "file", path: program.command, mode: 0o755, content: script });
	}
	if (program.service) {
		const run = join(REPOSITORY, "lab/dom0-services", program.service, "run");
		entries.push({ type: "file", path: `/etc/service/${program.service}/run`, mode: 0o755, content: { file: run } });
	}
	return entries;
}

/** One ESM file for Node from sources; native addons stay outside. */
export async function bundleProgram(entry: string): Promise<string> {
	const bundle = await rolldown({
		cwd: REPOSITORY,
		input: entry,
		platform: "node",
		resolve: { conditionNames: ["bulkhead-source", "node", "import", "module", "default"] },
		external: [/\.node$/],
		logLevel: "warn",
	});
	try {
		const { output } = await bundle.generate({
			format: "esm",
			codeSplitting: false,
			// CommonJS dependencies inside an ESM bundle ask for these.
			banner:
				'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
		});
		return output[0].code;
	} finally {
		await bundle.close();
	}
}

async function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	);
}
