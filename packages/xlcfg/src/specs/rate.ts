import { InvalidInputError, printable } from "@bulkhead/base";
import type { NicConfig } from "../guest-config.ts";

type Rate = NonNullable<NicConfig["rate"]>;

const RATE = /^([0-9]{1,22})([GMK]?)([Bb])\/s(?:@([0-9]{1,10})([mu]?)s)?$/;
const FACTORS: Readonly<Record<string, bigint>> = { "": 1n, K: 1000n, M: 1_000_000n, G: 1_000_000_000n };
const MICROSECONDS: Readonly<Record<string, bigint>> = { "": 1_000_000n, m: 1000n, u: 1n };
const DEFAULT_INTERVAL_US = 50_000n;
const LONGEST_INTERVAL_US = 2n ** 32n - 1n;

/**
 * "10Mb/s", "250KB/s@20ms": what may be sent in each interval, 50 ms unless told; b counts bits, B bytes, K is 1000
 * (libxlu_vif.c: vif_parse_rate).
 * @throws InvalidInputError
 */
export function parseRate(text: string): Rate {
	const [all, amount = "", factor = "", unit, interval, scale = ""] = RATE.exec(text) ?? [];
	const shown = `"${printable(text, 32)}"`;
	if (all === undefined)
		throw new InvalidInputError(`${shown} is not a rate`, { remedy: "Write 10Mb/s, 1GB/s or 250KB/s@20ms" });
	const perSecond = (BigInt(amount) * (FACTORS[factor] ?? 1n)) / (unit === "b" ? 8n : 1n);
	const intervalUs = interval === undefined ? DEFAULT_INTERVAL_US : BigInt(interval) * (MICROSECONDS[scale] ?? 1n);
	if (intervalUs === 0n || intervalUs > LONGEST_INTERVAL_US)
		throw new InvalidInputError(`The interval of rate ${shown} is not between 1 us and 4294 s`);
	const bytes = (perSecond * intervalUs) / 1_000_000n;
	if (bytes === 0n || bytes > BigInt(Number.MAX_SAFE_INTEGER))
		throw new InvalidInputError(`Rate ${shown} allows ${bytes === 0n ? "nothing" : "too much"} in its interval`);
	return { bytes: Number(bytes), intervalUs: Number(intervalUs) };
}

/** A rate that parseRate reads as the same number of bytes in the same interval. */
export function formatRate({ bytes, intervalUs }: Rate): string {
	const interval = BigInt(intervalUs);
	const perSecond = (BigInt(bytes) * 1_000_000n + interval - 1n) / interval;
	return `${perSecond}B/s@${interval}us`;
}
