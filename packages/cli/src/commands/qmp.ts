import { InvalidInputError } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { asciiJson } from "../output/ascii-json.ts";
import { events } from "./events.ts";

const DEFAULT_TIMEOUT_MS = 30_000;

export async function qmp(
	context: CommandContext,
	ref: string,
	command: string | undefined,
	values: readonly string[],
	{ watch = false, timeout = DEFAULT_TIMEOUT_MS }: { watch?: boolean; timeout?: number },
): Promise<number | undefined> {
	if (watch && command === undefined) return events(context, ref, ({ type }) => type === "qmp-event");
	if (watch || command === undefined)
		throw new InvalidInputError(
			watch ? "A QMP command cannot be run with --watch" : "The QMP command is missing",
			{ remedy: "Give GUEST COMMAND, or GUEST --watch" },
			"usage",
		);
	const answer = await context.client.qmp(ref, { command, arguments: parseArguments(values), timeoutMs: timeout });
	if (context.json) context.printJson({ return: answer });
	else context.print(asciiJson(answer, 2));
	return undefined;
}

/** A JSON object, or key=value each; a value that is no JSON is text. @throws InvalidInputError */
export function parseArguments(values: readonly string[]): Record<string, unknown> | undefined {
	const [first] = values;
	if (first === undefined) return undefined;
	if (first.startsWith("{")) {
		const parsed = values.length === 1 ? tryJson(first) : undefined;
		if (parsed === undefined)
			throw new InvalidInputError("The QMP arguments are not one JSON object", {
				remedy: `Write them in quotes, '{"key":"value"}', or as key=value`,
			});
		return parsed.value as Record<string, unknown>;
	}
	return Object.fromEntries(values.map(parsePair));
}

function parsePair(text: string): [string, unknown] {
	const at = text.indexOf("=");
	if (at < 1)
		throw new InvalidInputError(`The QMP argument ${JSON.stringify(text)} is not key=value`, {
			remedy: "Write key=value, or one JSON object",
		});
	const value = text.slice(at + 1);
	const parsed = tryJson(value);
	return [text.slice(0, at), parsed ? parsed.value : value];
}

function tryJson(text: string): { value: unknown } | undefined {
	try {
		return { value: JSON.parse(text) };
	} catch {
		return undefined;
	}
}
