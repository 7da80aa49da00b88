import * as fs from "node:fs";

/** The file calls that a journal makes, all synchronous. Tests stand in to die between any two of them. */
export type JournalFiles = Pick<
	typeof fs,
	| "mkdirSync"
	| "openSync"
	| "closeSync"
	| "fchmodSync"
	| "fstatSync"
	| "readSync"
	| "writeSync"
	| "readFileSync"
	| "readdirSync"
	| "renameSync"
	| "rmSync"
	| "symlinkSync"
>;

export const realFiles: JournalFiles = fs;
