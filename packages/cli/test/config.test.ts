import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guestConfigFromJson } from "@bulkhead/xlcfg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapturedIo, type Outcome, run } from "./captured-io.ts";

const GOOD = 'name = "web"\nuuid = "00112233-4455-6677-8899-aabbccddeeff"\ntype = "hvm"\nmemory = 256\n';
const BAD = 'name = "web"\nmemroy = 256\nvcpus = 0\n';

let directory: string;

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "bulkhead-config-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function save(name: string, text: string): string {
	const file = join(directory, name);
	writeFileSync(file, text);
	return file;
}

/** No daemon listens at that socket. */
const config = (...args: string[]): Promise<Outcome> => {
	const io = new CapturedIo();
	io.workingDirectory = directory;
	return run(io, join(directory, "no.sock"), ...args);
};

describe("bulkhead config check", () => {
	it("says that a file is usable", async () => {
		const file = save("good.cfg", GOOD);
		expect(await config("config", "check", file)).toEqual({ code: 0, out: `${file}: ok\n`, err: "" });
	});

	it("tells problems and warnings of every file, each with its place, and ends with 4", async () => {
		const [bad, old] = [save("bad.cfg", BAD), save("old.cfg", `${GOOD}builder = "hvm"\n`)];
		const { code, out } = await config("config", "check", bad, old, join(directory, "no.cfg"));
		expect(code).toBe(4);
		expect(out.split("\n")).toEqual([
			`${bad}:1:1: error: The guest has no memory`,
			"  remedy: Add memory = MiB",
			`${bad}:3:9: error: Key vcpus takes a whole number from 1 to 512`,
			`${bad}:1:1: error: A PV guest needs a kernel`,
			expect.stringContaining("  remedy: "),
			`${bad}:2:1: error: Key memroy is not known`,
			"  remedy: Did you mean memory?",
			`${old}:5:11: warning: Key builder is deprecated: write type = "hvm"`,
			`${old}: ok`,
			expect.stringContaining('no.cfg: error: The config file "'),
			"  remedy: Give the path of a guest's config file",
			"",
		]);
	});

	it("prints one JSON document", async () => {
		const file = save("bad.cfg", BAD);
		const { code, out } = await config("--json", "config", "check", file);
		expect(code).toBe(4);
		const [{ problems, ...rest }] = JSON.parse(out).files;
		expect(rest).toEqual({ file, form: "xl", ok: false, warnings: [] });
		expect(problems).toContainEqual({
			file,
			line: 2,
			column: 1,
			message: "Key memroy is not known",
			key: "memroy",
			remedy: "Did you mean memory?",
		});
	});

	it("escapes what a file says", async () => {
		const { out } = await config("config", "check", save("evil.cfg", `type = "\u009b31m"\n`));
		expect(out).toContain("does not take");
		expect(out).toMatch(/^[\x20-\x7e\n…]*$/);
	});

	it.each(["{", "{}", '{"version":1}', "[]", "[", "null"])("finds %j wrong, whatever it is", async (text) => {
		expect((await config("config", "check", save("x.json", text))).code).toBe(4);
	});
});

describe("bulkhead config convert", () => {
	it("makes JSON of xl.cfg and xl.cfg of JSON, and loses nothing", async () => {
		const first = await config("config", "convert", save("good.cfg", GOOD), "vcpus=2", 'vif=["bridge=br0"]');
		expect(first).toMatchObject({ code: 0, err: "" });
		const guest = guestConfigFromJson(JSON.parse(first.out));
		expect(guest).toMatchObject({ name: "web", vcpus: 2, nics: [{ bridge: "br0" }] });

		const second = await config("config", "convert", save("good.json", first.out));
		expect(second.out).toContain('name = "web"\n');
		const third = await config("config", "convert", save("again.cfg", second.out));
		expect(guestConfigFromJson(JSON.parse(third.out))).toEqual(guest);
	});

	it("prints the form that is asked for", async () => {
		const file = save("good.cfg", GOOD);
		expect((await config("config", "convert", "--to", "xl", file)).out).toContain("memory = 256\n");
		expect((await config("config", "convert", "--to", "json", file)).out).toContain('"memoryKiB": 262144');
	});

	it("prints nothing of a file that is wrong", async () => {
		const { code, out, err } = await config("config", "convert", save("bad.cfg", BAD));
		expect({ code, out }).toEqual({ code: 4, out: "" });
		expect(err).toContain("bad.cfg:2:1: Key memroy is not known");
	});

	it("says that assignments do not go with JSON", async () => {
		const { out } = await config("config", "convert", save("good.cfg", GOOD));
		const { code, err } = await config("config", "convert", save("good.json", out), "vcpus=2");
		expect(code).toBe(4);
		expect(err).toContain("Assignments go with xl.cfg text");
	});
});
