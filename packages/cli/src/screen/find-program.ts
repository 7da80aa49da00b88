import { access, constants } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import type { CliIo } from "../cli-io.ts";

/** The first of these programs that is there: a path as it is, a name in PATH. */
export async function findProgram(names: readonly string[], { env }: CliIo): Promise<string | undefined> {
	const folders = (env.PATH ?? "").split(delimiter).filter(isAbsolute);
	for (const name of names)
		for (const path of name.includes("/") ? [name] : folders.map((folder) => join(folder, name)))
			if (await isProgram(path)) return path;
	return undefined;
}

function isProgram(path: string): Promise<boolean> {
	return access(path, constants.X_OK).then(
		() => true,
		() => false,
	);
}
