import { BulkheadError, printable, type SerializedError, serializeError } from "@bulkhead/base";
import { asciiJson } from "./ascii-json.ts";

const LONGEST = 2000;

/** An error as lines for a person: its sentence, its causes, what to do. Nothing of it is trusted. */
export function describeError(error: unknown, { verbose }: { verbose: boolean }): string[] {
	const { message, remedy, cause, fields, code } = serializeError(error);
	const lines = problemLines(error);
	if (lines.length === 0) lines.push(`bulkhead: ${printable(message, LONGEST)}`, ...causeLines(cause, message));
	const advice = remedy ?? remedyOf(cause);
	if (advice !== undefined && !lines.some((line) => line.startsWith("remedy: ")))
		lines.push(`remedy: ${printable(advice, LONGEST)}`);
	if (verbose) lines.push(`code: ${code}`, ...(fields ? [`fields: ${asciiJson(fields)}`] : []));
	return lines;
}

function causeLines(cause: SerializedError | undefined, above: string): string[] {
	if (!cause) return [];
	const rest = causeLines(cause.cause, cause.message);
	return cause.message === above ? rest : [`  because: ${printable(cause.message, LONGEST)}`, ...rest];
}

function remedyOf(error: SerializedError | undefined): string | undefined {
	return error && (error.remedy ?? remedyOf(error.cause));
}

/** A config's problems (see XlCfgError): each on a line of its own, in the form that editors jump from. */
function problemLines(error: unknown): string[] {
	const problems = error instanceof BulkheadError ? error.fields.problems : undefined;
	if (!Array.isArray(problems)) return [];
	return problems.flatMap((problem: unknown) => {
		if (typeof problem !== "object" || problem === null) return [];
		const { file, line, column, message, remedy } = problem as Record<string, unknown>;
		const place = `${printable(String(file))}:${Number(line)}:${Number(column)}`;
		const sentence = `bulkhead: ${place}: ${printable(String(message), LONGEST)}`;
		return typeof remedy === "string" ? [sentence, `remedy: ${printable(remedy, LONGEST)}`] : [sentence];
	});
}
