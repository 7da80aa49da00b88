import { checkGuestConfig, type GuestConfig, type XlCfgProblem } from "@bulkhead/xlcfg";
import { DEVICE_FACTS } from "./device-facts.ts";
import { type Fact, plain, type XlConfig } from "./fact.ts";
import { guestFacts } from "./guest-facts.ts";
import { HVM_FACTS } from "./hvm-facts.ts";

export interface OurReading {
	config: GuestConfig | undefined;
	problems: readonly XlCfgProblem[];
}

export function readByUs(text: string): OurReading {
	return checkGuestConfig(text, { file: "it.cfg", baseDir: "/", makeMac: () => "00:00:00:00:00:00" });
}

/** Names of the facts that both tell differently, each with what they say. */
export function findDifferences(xl: XlConfig, ours: GuestConfig, hostCpus: number): Record<string, [unknown, unknown]> {
	const facts: Record<string, Fact> = { ...guestFacts(hostCpus), ...HVM_FACTS, ...DEVICE_FACTS };
	const told = Object.entries(facts).map(([name, fact]): [string, [unknown, unknown]] => [
		name,
		[plain(fact.xl(xl)), plain(fact.ours(ours))],
	]);
	return Object.fromEntries(told.filter(([, [theirs, our]]) => canonical(theirs) !== canonical(our)));
}

function canonical(value: unknown): string {
	return JSON.stringify(value, (_, item: unknown) =>
		typeof item === "object" && item !== null && !Array.isArray(item)
			? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
			: item,
	);
}
