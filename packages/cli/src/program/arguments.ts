import { InvalidArgumentError } from "commander";

/** An option's value in seconds, as milliseconds. */
export function secondsAsMs(text: string): number {
	const seconds = Number(text);
	if (!/^[0-9]{1,4}(\.[0-9]{1,3})?$/.test(text) || seconds <= 0 || seconds > 3600)
		throw new InvalidArgumentError("Give seconds, above 0 and up to 3600.");
	return Math.ceil(seconds * 1000);
}

export function smallNumber(text: string): number {
	if (!/^[0-9]{1,3}$/.test(text)) throw new InvalidArgumentError("Give a whole number.");
	return Number(text);
}

/** Help text behind a command's options. */
export function examples(...lines: string[]): string {
	return `\nExamples:\n${lines.map((line) => `  bulkhead ${line}`).join("\n")}`;
}
