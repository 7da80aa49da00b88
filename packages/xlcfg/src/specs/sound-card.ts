import { InvalidInputError } from "@bulkhead/base";
import type { KeyedDeviceConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { checkValue, parseWord, refuseUnknownParameter, splitParameters } from "./parameters.ts";

const FORMATS = ["buffer-size", "channels-max", "channels-min", "sample-formats", "sample-rates"] as const;
/** Parts of a sound card and their parameters (xl.cfg(5), vsnd). */
const PARTS = {
	card: ["backend", "short-name", "long-name", ...FORMATS],
	pcm: ["name", ...FORMATS],
	stream: ["unique-id", "type", ...FORMATS],
} as const;
const KINDS = ["card", "pcm", "stream"] as const;
const WHAT = "The sound card";

/**
 * A sound card as xl lists it: "card, short-name=Main", then its pcm devices, each before its streams.
 * @throws InvalidInputError
 */
export function parseSoundCard(items: readonly string[]): KeyedDeviceConfig {
	if (items.length > XLCFG_LIMITS.devices) throw new InvalidInputError(`${WHAT} has too many parts`);
	let before: (typeof KINDS)[number] | undefined;
	const entries = items.map((item, index) => {
		const [first, ...rest] = splitParameters(checkValue(WHAT, "a part", item));
		const kind = parseWord(WHAT, "a part", first?.value === undefined ? (first?.name.toLowerCase() ?? "") : "=", KINDS);
		if (kind === undefined || (kind === "card") !== (index === 0) || (kind === "stream" && before === "card"))
			throw new InvalidInputError(`${WHAT} begins with one card, and streams follow their pcm`);
		before = kind;
		for (const { name, value } of rest) {
			if (!PARTS[kind].some((known) => known === name)) refuseUnknownParameter(`The ${kind}`, name, PARTS[kind]);
			if (value === undefined || value === "") throw new InvalidInputError(`${WHAT}: ${name} has no value`);
		}
		return [`${index}`, item.trim()] as const;
	});
	if (entries.length === 0) throw new InvalidInputError(`${WHAT} is empty`);
	return Object.fromEntries(entries);
}

export function soundCardItems(card: KeyedDeviceConfig): string[] {
	return Object.values(card);
}
