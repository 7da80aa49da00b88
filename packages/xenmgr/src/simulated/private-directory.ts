import { lstat, mkdir } from "node:fs/promises";
import { InvalidInputError } from "@bulkhead/base";

const OTHERS = 0o077;

/** Makes a directory that is this user's alone, or takes the one that is there. @throws InvalidInputError `not-private` */
export async function privateDirectory(path: string): Promise<void> {
	await mkdir(path, { recursive: true, mode: 0o700 });
	const stats = await lstat(path);
	if (stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & OTHERS) === 0) return;
	throw new InvalidInputError(
		`The directory ${path} is not this user's alone`,
		{ remedy: "Name another one with --sim-directory, or chmod it to 700", fields: { path } },
		"not-private",
	);
}
