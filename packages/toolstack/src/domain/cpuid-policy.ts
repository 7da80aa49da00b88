import { InvalidInputError } from "@bulkhead/base";
import { CPUID_REGISTERS, type CpuidLeaf, type CpuidRegister } from "@bulkhead/hypervisor";
import { CPUID_WORDS } from "./cpuid-flags.ts";
import { versionBits } from "./cpuid-version.ts";

const REGISTER_BITS = 32;
const SETTING = /^(?<name>[^=]+)=(?<value>.)$/;
const LEAF = /^(?<leaf>0x[0-9a-f]{1,8}|\d{1,10})(?:\s*,\s*(?<subleaf>0x[0-9a-f]{1,8}|\d{1,10}))?\s*:(?<registers>.+)$/i;
const BITS = /^[01xks]{32}$/;

interface Place {
	leaf: number;
	subleaf?: number;
	register: CpuidRegister;
	bit: number;
}

/** Where each named feature is. */
const PLACES: ReadonlyMap<string, Place> = new Map(
	CPUID_WORDS.flatMap(({ names, ...word }) => names.split(" ").map((name, bit) => [name, { ...word, bit }] as const)),
);

type Draft = { leaf: number; subleaf?: number; registers: Map<CpuidRegister, string[]> };

/**
 * What a config's cpuid settings mean, by leaf: "host,tm=0" in xl's words, or a leaf's registers as 32 letters each
 * (xl.cfg(5): cpuid). Later settings win.
 * @throws InvalidInputError
 */
export function cpuidLeaves(settings: readonly string[]): CpuidLeaf[] {
	const drafts = new Map<string, Draft>();
	const registerOf = (leaf: number, subleaf: number | undefined, register: CpuidRegister): string[] => {
		const key = `${leaf},${subleaf}`;
		const draft: Draft = drafts.get(key) ?? { leaf, ...(subleaf !== undefined && { subleaf }), registers: new Map() };
		drafts.set(key, draft);
		const bits = draft.registers.get(register) ?? Array.from({ length: REGISTER_BITS }, () => "x");
		draft.registers.set(register, bits);
		return bits;
	};
	for (const setting of settings) {
		const groups = LEAF.exec(setting)?.groups;
		if (groups) {
			const subleaf = groups.subleaf === undefined ? undefined : Number(groups.subleaf);
			for (const [register, bits] of registersOf(setting, groups.registers ?? ""))
				registerOf(Number(groups.leaf), subleaf, register).splice(0, REGISTER_BITS, ...bits);
			continue;
		}
		const [base, ...flags] = setting.split(",").map((part) => part.trim());
		if (base !== "host") throw cpuidError(setting, `it must begin with "host", or with a leaf's number`);
		for (const flag of flags) {
			const version = versionBits(flag);
			if (version === "wrong") throw cpuidError(setting, `${JSON.stringify(flag)} is no number that fits`);
			if (version) {
				for (const { bit, value } of version) registerOf(1, undefined, "eax")[REGISTER_BITS - 1 - bit] = value;
				continue;
			}
			const { place, value } = flagOf(setting, flag);
			registerOf(place.leaf, place.subleaf, place.register)[REGISTER_BITS - 1 - place.bit] = value;
		}
	}
	return [...drafts.values()].map(({ leaf, subleaf, registers }) => ({
		leaf,
		...(subleaf !== undefined && { subleaf }),
		...Object.fromEntries([...registers].map(([register, bits]) => [register, bits.join("")])),
	}));
}

function flagOf(setting: string, flag: string): { place: Place; value: string } {
	const { name = "", value = "" } = SETTING.exec(flag)?.groups ?? {};
	const place = PLACES.get(name);
	if (!place || name === "_") throw cpuidError(setting, `${JSON.stringify(flag)} names no feature that is known`);
	if (!/[01xks]/.test(value)) throw cpuidError(setting, `${name} can be 0, 1, x, k or s`);
	return { place, value };
}

function registersOf(setting: string, text: string): [CpuidRegister, string[]][] {
	return text.split(",").map((part) => {
		const [name = "", bits = ""] = part.split("=").map((each) => each.trim());
		const register = CPUID_REGISTERS.find((each) => each === name);
		if (!register || !BITS.test(bits))
			throw cpuidError(setting, `${JSON.stringify(part)} is no register with 32 letters of 0, 1, x, k, s`);
		return [register, bits.split("")];
	});
}

function cpuidError(setting: string, why: string): InvalidInputError {
	return new InvalidInputError(`The cpuid setting ${JSON.stringify(setting)} cannot be used: ${why}`, {
		remedy: 'Write "host,feature=0,…" with xl\'s names, or "LEAF[,SUBLEAF]:ecx=…"',
		fields: { setting },
	});
}
