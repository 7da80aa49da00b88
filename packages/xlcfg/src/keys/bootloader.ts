import { InvalidInputError } from "@bulkhead/base";
import { defined } from "../defined.ts";
import type { GuestConfig } from "../guest-config.ts";
import { checkScript } from "../specs/disk-config.ts";
import { checkArgument, MOST_ARGUMENTS } from "./arguments.ts";
import type { ConfigReader } from "./config-reader.ts";
import { checkName, readEach } from "./read-path.ts";

type Bootloader = NonNullable<GuestConfig["bootloader"]>;

/** PV and PVH: a program that finds the kernel; a bare name is looked for in Xen's folder of programs. */
export function readBootloader(reader: ConfigReader): Bootloader | undefined {
	const text = reader.string("bootloader");
	const path = text === undefined ? undefined : reader.attempt("bootloader", () => checkProgram(text));
	const args = readBootloaderArgs(reader);
	const restrict = reader.boolean("bootloader_restrict");
	const user = reader.string("bootloader_user");
	const checkedUser =
		user === undefined ? undefined : reader.attempt("bootloader_user", () => checkName("bootloader_user", user));
	if (text === undefined)
		for (const key of ["bootloader_args", "bootloader_restrict", "bootloader_user"])
			if (reader.has(key)) reader.warn(key, `Key ${key} has no effect without bootloader`);
	return path === undefined ? undefined : defined<Bootloader>({ path, args, restrict, user: checkedUser });
}

function readBootloaderArgs(reader: ConfigReader): string[] {
	if (reader.kind("bootloader_args") === "string") {
		reader.warn("bootloader_args", 'A string of arguments is deprecated: write bootloader_args = [ "…", "…" ]');
		const words = (reader.string("bootloader_args") ?? "").split(/\s+/).filter((word) => word !== "");
		for (const word of words) reader.attempt("bootloader_args", () => checkArgument(word));
		return words;
	}
	return readEach(reader, "bootloader_args", checkArgument, { most: MOST_ARGUMENTS });
}

function checkProgram(path: string): string {
	if (path === "") throw new InvalidInputError("The path is empty");
	return checkScript(path);
}
