import { InvalidInputError, printable } from "@bulkhead/base";
import { formatGuestConfig } from "@bulkhead/xlcfg";
import type { CommandContext } from "../command-context.ts";
import { asciiJson } from "../output/ascii-json.ts";
import { loadConfig, problemLine } from "./config-document.ts";

export type ConfigForm = "xl" | "json";

/** Prints a config complete and checked, in the other form than it has or in the one asked for. */
export async function configConvert(
	context: CommandContext,
	file: string,
	overrides: string[],
	{ to }: { to?: ConfigForm },
): Promise<void> {
	const { form, config, problems, warnings } = await loadConfig(context.io, file, overrides);
	const [first] = problems;
	if (first || !config)
		throw new InvalidInputError(
			first ? problemLine(first) : `${file} is no guest's config`,
			{ remedy: first?.remedy, fields: first?.line === undefined ? {} : { problems } },
			"bad-guest-config",
		);
	for (const warning of warnings) context.note(`warning: ${printable(problemLine(warning), 2000)}`);
	const wanted = to ?? (form === "xl" ? "json" : "xl");
	if (wanted === "xl") context.io.stdout.write(formatGuestConfig(config));
	else context.print(asciiJson(config, context.json ? undefined : 2));
}
