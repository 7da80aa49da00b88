import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import {
	type DiskConfig,
	formatGuestConfig,
	type GuestConfig,
	guestConfigFromJson,
	guestNameProblem,
	parseDiskSpec,
	parseTree,
	parseVdev,
	XlCfgError,
} from "../src/index.ts";
import { quoteString } from "../src/string-escapes.ts";
import { HVM, ID, parse } from "./guests.ts";

const path = fc.string({ minLength: 1, maxLength: 40 }).map((text) => `/${text.replace(/\p{Cc}|\p{Cs}/gu, "")}`);
const commandLine = fc.string({ maxLength: 100 }).map((text) => text.replace(/\p{Cc}/gu, ""));
const name = fc.string({ minLength: 1, maxLength: 64 }).filter((text) => guestNameProblem(text) === undefined);
const endAction = fc.constantFrom("destroy" as const, "restart" as const, "preserve" as const);

const disk: fc.Arbitrary<DiskConfig> = fc
	.record({
		vdev: fc.constantFrom("hda", "hdb", "sdc", "xvdd", "sde", "xvdz", "xvdab"),
		path,
		cdrom: fc.boolean(),
		readOnly: fc.boolean(),
	})
	.map(({ vdev, cdrom, readOnly, ...rest }) => {
		const place = parseVdev(vdev);
		const isCd = cdrom && place.index < 4;
		return {
			vdev,
			...place,
			...rest,
			cdrom: isCd,
			readOnly: isCd || (readOnly && place.bus === "scsi"),
			format: "raw",
		};
	});

const common = {
	version: fc.constant(1 as const),
	uuid: fc.constant(ID),
	name,
	memoryKiB: fc.integer({ min: 512, max: 10_000 }).map((miB) => miB * 1024),
	vcpus: fc.integer({ min: 1, max: 128 }),
	bios: fc.constant("seabios" as const),
	disks: fc.uniqueArray(disk, { selector: ({ index }) => index, maxLength: 6 }),
	acpi: fc.boolean(),
	lifecycle: fc.record({
		poweroff: endAction,
		reboot: endAction,
		watchdog: endAction,
		crash: endAction,
		deviceModelFailure: fc.constantFrom("destroy" as const, "preserve" as const, "pause" as const),
	}),
};

const hvm: fc.Arbitrary<GuestConfig> = fc
	.record({
		...common,
		type: fc.constant("hvm" as const),
		commandLine: fc.constant(""),
		boot: fc.uniqueArray(fc.constantFrom("a", "c", "d", "n"), { minLength: 1 }).map((letters) => letters.join("")),
		serials: fc.array(fc.constant("pty" as const), { maxLength: 4 }),
		vga: fc.constantFrom("none" as const, "stdvga" as const, "cirrus" as const),
		nographic: fc.boolean(),
		hdType: fc.constantFrom("ide" as const, "ahci" as const),
		stub: fc.record(
			{ kernel: path, ramdisk: path, memoryKiB: fc.constant(2048 * 64), commandLine },
			{ requiredKeys: [] },
		),
		deviceModelArgs: fc.array(
			commandLine.filter((text) => text !== ""),
			{ maxLength: 5 },
		),
	})
	.map((config) => ({ ...config, videoMemoryKiB: config.vga === "none" ? 0 : 32 * 1024 }));

const pv: fc.Arbitrary<GuestConfig> = fc.record({
	...common,
	type: fc.constant("pv" as const),
	kernel: path,
	commandLine,
	boot: fc.constant("cda"),
	serials: fc.constant([]),
	vga: fc.constant("none" as const),
	videoMemoryKiB: fc.constant(0),
	nographic: fc.constant(false),
	hdType: fc.constant("ide" as const),
	deviceModelArgs: fc.constant([]),
});

describe("a config", () => {
	test.prop([fc.oneof(hvm, pv)])("formatted and parsed again is the same", (config) => {
		const { config: again } = parse(formatGuestConfig(config));
		expect(again).toEqual(config);
	});

	test.prop([fc.oneof(hvm, pv)])("stored and read back is the same", (config) => {
		expect(guestConfigFromJson(JSON.parse(JSON.stringify(config)))).toEqual(config);
	});
});

const grammar = fc.constantFrom(
	...[
		"name",
		"disk",
		"=",
		"+=",
		"[",
		"]",
		",",
		";",
		"\n",
		"\r\n",
		'"',
		"'",
		"\\",
		"\\x4",
		"#",
		" ",
		"0x1f",
		"08",
		"é",
		"(",
	],
);

describe("garbage", () => {
	test.prop([
		fc.oneof(
			fc.string(),
			fc.string({ unit: "binary" }),
			fc.array(grammar).map((parts) => parts.join("")),
		),
	])("gives a config or an XlCfgError that points into the text", (text) => {
		const lines = text.split("\n");
		try {
			parse(text);
		} catch (error) {
			if (!(error instanceof XlCfgError)) throw error;
			for (const { line, column } of error.problems) {
				expect(line).toBeLessThanOrEqual(lines.length);
				expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
			}
		}
	});

	test.prop([fc.array(grammar).map((parts) => parts.join(""))])(
		"in an override is told as the argument's",
		(override) => {
			try {
				expect(parse(HVM, { overrides: [override] }).config.memoryKiB).toBe(256 * 1024);
			} catch (error) {
				if (!(error instanceof XlCfgError)) throw error;
				for (const { file } of error.problems) expect(file).toMatch(/^argument /);
			}
		},
	);

	test.prop([fc.string()])("as a disk gives a specification or an error", (text) => {
		try {
			expect(parseDiskSpec(text)).toHaveProperty("flags");
		} catch (error) {
			expect(error).toMatchObject({ code: "invalid-input" });
		}
	});

	test.prop([fc.string({ unit: "binary" })])("quoted is a string again", (text) => {
		expect(parseTree(`a = ${quoteString(text)}`, "f")[0]?.value).toMatchObject({ kind: "string", value: text });
	});
});

describe("ten megabytes", () => {
	const size = 10 * 1024 * 1024;
	test.each([
		["one comment", () => `#${"x".repeat(size)}`],
		["one string", () => `a = "${"x".repeat(size)}"`],
		["one string of escapes", () => `a = "${"\\n".repeat(size / 2)}"`],
		["one open string", () => `a = "${"x".repeat(size)}`],
		["blanks", () => " ".repeat(size)],
		["carriage returns", () => "\r".repeat(size)],
		["newlines", () => "\n".repeat(size)],
		["junk", () => "-".repeat(size)],
		["broken lines", () => "a = yes\n".repeat(size / 8)],
		["a long list", () => `a = [ ${"'x',".repeat(size / 4)} ]`],
		["many appends to a list", () => "a += [ 1 ]\n".repeat(size / 11)],
		["many appends to a string", () => "a += 'x'\n".repeat(size / 9)],
		["many keys", () => Array.from({ length: size / 16 }, (_, index) => `key${index} = 1\n`).join("")],
	])("of %s are read, or refused, in linear time", (_, make) => {
		const text = make();
		const started = performance.now();
		expect(() => parse(text, { limitBytes: 2 * size })).toThrow(XlCfgError);
		// A quadratic reader would take hours; a linear one a second or two on a busy machine.
		expect(performance.now() - started).toBeLessThan(15_000);
	});
});
