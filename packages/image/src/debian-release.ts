import { readFile } from "node:fs/promises";
import { InvalidInputError } from "@bulkhead/base";

/**
 * The code name of the machine's Debian release (`bookworm`), from os-release(5).
 * @throws InvalidInputError on other systems
 */
export async function machineRelease(osReleasePath = "/etc/os-release"): Promise<string> {
	const text = await readFile(osReleasePath, "utf8").catch(() => "");
	const value = (name: string): string | undefined =>
		text.match(new RegExp(`^${name}="?([^"\\n]*)"?$`, "m"))?.[1] || undefined;
	const codename = value("VERSION_CODENAME");
	if (value("ID") !== "debian" || !codename) {
		throw new InvalidInputError(`This machine is ${value("PRETTY_NAME") ?? "of an unknown kind"} and not Debian`, {
			remedy: "Use a machine or container with a current Debian release",
		});
	}
	return codename;
}
