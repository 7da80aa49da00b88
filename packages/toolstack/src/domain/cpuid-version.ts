/** A processor's family, model and stepping in eax of leaf 1: fields of bits, lowest first, with the place of the first. */
const FIELDS: Readonly<Record<string, { most: number; parts: (value: number) => Part[] }>> = {
	/** Beyond 15 it goes on in the extended family, which is added to 15. */
	family: {
		most: 15 + 255,
		parts: (value) => [
			{ from: 8, bits: 4, value: Math.min(value, 15) },
			{ from: 20, bits: 8, value: Math.max(0, value - 15) },
		],
	},
	model: {
		most: 255,
		parts: (value) => [
			{ from: 4, bits: 4, value: value % 16 },
			{ from: 16, bits: 4, value: Math.floor(value / 16) },
		],
	},
	stepping: { most: 15, parts: (value) => [{ from: 0, bits: 4, value }] },
};

interface Part {
	from: number;
	bits: number;
	value: number;
}

/**
 * The bits that "family=6" and the like stand for. Undefined: it is no such flag; "wrong": it is one with a value that it
 * cannot have.
 */
export function versionBits(flag: string): { bit: number; value: "0" | "1" }[] | "wrong" | undefined {
	const [name = "", text = ""] = flag.split("=");
	const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
	if (!field) return undefined;
	const value = /^(?:0x[0-9a-f]{1,4}|[0-9]{1,4})$/i.test(text) ? Number(text) : Number.NaN;
	if (!(value <= field.most)) return "wrong";
	return field.parts(value).flatMap((part) =>
		Array.from({ length: part.bits }, (_, at) => ({
			bit: part.from + at,
			value: (part.value >> at) & 1 ? ("1" as const) : ("0" as const),
		})),
	);
}
