import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Script } from "node:vm";

export interface CompiledProgram {
	script: Script;
	run(): void;
}

/**
 * A CommonJS program from `<path>.source`, with V8's compiled code from `<path>.cache` when that is there, as Node 22's
 * module.enableCompileCache would do it. V8 refuses a cache of another version or source and compiles by itself.
 */
export function compileProgram(path: string): CompiledProgram {
	const filename = `${path}.source`;
	const source = readFileSync(filename, "utf8").replace(/^#!.*/, "");
	const script = new Script(`(function (require, module) {${source}\n})`, { filename, cachedData: readCache(path) });
	const run = (): void => script.runInThisContext()(createRequire(filename), { exports: {} });
	return { script, run };
}

function readCache(path: string): Buffer | undefined {
	try {
		return readFileSync(`${path}.cache`);
	} catch {
		return undefined;
	}
}
