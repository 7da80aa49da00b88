import { InvalidInputError } from "@bulkhead/base";

/** Checks one JSON value and answers it, or throws InvalidInputError naming `path`. */
export type Check<T> = (value: unknown, path: string) => T;

export type Shape<T> = { readonly [Key in keyof T]-?: Check<T[Key]> };

export function refuseAt(path: string, why: string): never {
	throw new InvalidInputError(`Stored guest config: ${path} ${why}`, { fields: { path } }, "bad-stored-config");
}

export const flag: Check<boolean> = (value, path) =>
	typeof value === "boolean" ? value : refuseAt(path, "is not true or false");

export function count(min: number, max: number): Check<number> {
	return (value, path) =>
		typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
			? value
			: refuseAt(path, `is not a whole number from ${min} to ${max}`);
}

/** One line of text of bounded length. */
export function line(maxLength: number): Check<string> {
	return (value, path) =>
		typeof value === "string" && value.length <= maxLength && !/\p{Cc}/u.test(value)
			? value
			: refuseAt(path, `is not a line of at most ${maxLength} characters`);
}

export function oneOf<const Word extends string | number>(...words: Word[]): Check<Word> {
	return (value, path) => words.find((word) => word === value) ?? refuseAt(path, `is none of ${words.join(", ")}`);
}

export function optional<T>(check: Check<T>): Check<T | undefined> {
	return (value, path) => (value === undefined ? undefined : check(value, path));
}

export function listOf<T>(check: Check<T>, maxLength: number): Check<T[]> {
	return (value, path) => {
		if (!Array.isArray(value) || value.length > maxLength)
			return refuseAt(path, `is not a list of at most ${maxLength}`);
		return value.map((item, index) => check(item, `${path}[${index}]`));
	};
}

/** An object with these fields and no others. Fields that are undefined are left out of the answer. */
export function shapeOf<T extends object>(shape: Shape<T>): Check<T> {
	return (value, path) => {
		if (typeof value !== "object" || value === null || Array.isArray(value)) return refuseAt(path, "is not an object");
		for (const key of Object.keys(value)) if (!Object.hasOwn(shape, key)) refuseAt(`${path}.${key}`, "is not known");
		const entries = Object.entries<Check<unknown>>(shape)
			.map(([key, check]) => [key, check((value as Record<string, unknown>)[key], `${path}.${key}`)] as const)
			.filter(([, checked]) => checked !== undefined);
		return Object.fromEntries(entries) as T;
	};
}

/** A line that `check`, a reader of the config file, takes as it stands. */
export function lineFor(maxLength: number, check: (text: string) => unknown): Check<string> {
	return (value, path) => {
		const text = line(maxLength)(value, path);
		runCheck(path, () => check(text));
		return text;
	};
}

/** Runs a check of the config file's reader; what it says is told of `path`. */
export function runCheck<T>(path: string, check: () => T): T {
	try {
		return check();
	} catch (error) {
		if (!(error instanceof InvalidInputError)) throw error;
		return refuseAt(path, `is not usable: ${error.message}`);
	}
}

/** A flat object of lines. */
export function recordOf(mostKeys: number, maxLength: number): Check<Record<string, string>> {
	return (value, path) => {
		if (typeof value !== "object" || value === null || Array.isArray(value)) return refuseAt(path, "is not an object");
		const entries = Object.entries(value);
		if (entries.length > mostKeys) return refuseAt(path, `has more than ${mostKeys} keys`);
		return Object.fromEntries(entries.map(([key, item]) => [key, line(maxLength)(item, `${path}.${key}`)]));
	};
}
