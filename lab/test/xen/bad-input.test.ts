import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { ok, run, useLab } from "./support/dom0.ts";
import { createGuest, createRefused, destroyAll, PV, TINY } from "./support/guests.ts";

const BAD_CONFIG = "/tmp/bad-input.cfg";

interface Row {
	what: string;
	overrides: string[];
	code: string;
	says: RegExp;
}

const ROWS: Row[] = [
	{
		what: "a missing stub kernel",
		overrides: ['stubdomain_kernel="/no/kernel"'],
		code: "file-unusable",
		says: /stub domain's kernel "\/no\/kernel" does not exist/,
	},
	{
		what: "a stub kernel that is none",
		overrides: ['stubdomain_kernel="/etc/passwd"'],
		code: "file-unusable",
		says: /is not a kernel/,
	},
	{
		what: "a missing stub ramdisk",
		overrides: ['stubdomain_ramdisk="/no/ramdisk"'],
		code: "file-unusable",
		says: /stub domain's ramdisk "\/no\/ramdisk" does not exist/,
	},
	{
		what: "a ramdisk that is a directory",
		overrides: ['stubdomain_ramdisk="/etc"'],
		code: "file-unusable",
		says: /is not a regular file/,
	},
	{
		what: "a missing BIOS",
		overrides: ['bios_path_override="/no/bios"'],
		code: "file-unusable",
		says: /BIOS "\/no\/bios" does not exist/,
	},
	{
		what: "a missing disk",
		overrides: ['disk=["format=raw,vdev=hda,access=rw,target=/no/disk"]'],
		code: "file-unusable",
		says: /disk hda "\/no\/disk" does not exist/,
	},
	{
		what: "a disk that is a character device",
		overrides: ['disk=["format=raw,vdev=hda,access=rw,target=/dev/zero"]'],
		code: "file-unusable",
		says: /neither a regular file nor a block device/,
	},
	{
		what: "too little memory for the stub domain",
		overrides: ["stubdomain_memory=16"],
		code: "not-enough-memory",
		says: /stub domain cannot run in 16 MiB/,
	},
	{
		what: "more memory than the host has",
		overrides: ["memory=65536"],
		code: "not-enough-memory",
		says: /The host has \d+ MiB free and the guest needs \d+ MiB/,
	},
];

describe("bad input is refused before anything is created", () => {
	const the = useLab();
	let before: string[];

	beforeAll(async () => {
		before = await takeSnapshot(the.lab);
	});
	afterEach(async () => {
		await destroyAll(the.lab);
		await run(the.lab, ["rm", "-f", BAD_CONFIG]);
	});

	it.each(ROWS)("$what", async ({ overrides, code, says }) => {
		const { exitCode, error } = await createRefused(the.lab, TINY, ...overrides);
		expect(exitCode).not.toBe(0);
		expect(error).toMatchObject({ code, message: expect.stringMatching(says), remedy: expect.any(String) });
		expect((await ok(the.lab, ["xl", "list"])).trim().split("\n")).toHaveLength(2);
	});

	it("a PV guest's missing kernel", async () => {
		const { error } = await createRefused(the.lab, PV, 'kernel="/no/kernel"');
		expect(error).toMatchObject({
			code: "file-unusable",
			message: expect.stringMatching(/kernel "\/no\/kernel" does not exist/),
		});
	});

	it("a name that is taken", async () => {
		await createGuest(the.lab, TINY);
		const { error } = await createRefused(the.lab, TINY);
		expect(error).toMatchObject({ code: "name-in-use", message: expect.stringContaining('"tiny"') });
	});

	it("an unknown key, with its line and a suggestion", async () => {
		await ok(the.lab, ["tee", BAD_CONFIG], { stdin: 'name="bad"\ntype="hvm"\nmemory=32\nmemroy=64\n' });
		const { exitCode, error } = await createRefused(the.lab, BAD_CONFIG);
		expect(exitCode).toBe(4);
		expect(error.message).toMatch(/memroy/);
		expect(JSON.stringify(error)).toMatch(/"line":4/);
		expect(JSON.stringify(error)).toMatch(/memory/);
	});

	it.each([
		["quotes", "name='a\"b'"],
		["slashes", 'name="a/b"'],
		["newlines", 'name="a\\nb"'],
	])("a name with %s", async (_, override) => {
		const { exitCode, error } = await createRefused(the.lab, TINY, override);
		expect(exitCode).toBe(4);
		expect(error.message).toMatch(/name/i);
	});

	it("a config of 10 MiB", async () => {
		await ok(the.lab, ["sh", "-c", `(cat ${TINY}; head -c 10485760 /dev/zero | tr '\\0' '#') > ${BAD_CONFIG}`]);
		const { exitCode, error } = await createRefused(the.lab, BAD_CONFIG);
		expect(exitCode).toBe(4);
		expect(error.message).toMatch(/MiB|bytes|large/i);
	});

	it("and all of that leaves nothing behind", async () => {
		expect(await findResidue(the.lab, before)).toEqual([]);
	});
});
