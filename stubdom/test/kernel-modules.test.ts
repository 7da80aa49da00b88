import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dependenciesOf, planModules, withoutSignature } from "../src/kernel-modules.ts";

let dir: string;
beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), "bulkhead-modules-"));
	await mkdir(join(dir, "kernel/net"), { recursive: true });
	await writeFile(join(dir, "modules.builtin"), "kernel/lib/crc32.ko\n");
	await writeFile(join(dir, "kernel/net/bridge.ko"), moduleText("stp,llc,crc32"));
	await writeFile(join(dir, "kernel/net/stp.ko"), moduleText("llc"));
	await writeFile(join(dir, "kernel/net/llc.ko"), moduleText(""));
	await writeFile(join(dir, "kernel/net/two-words.ko"), moduleText(""));
});
afterAll(() => rm(dir, { recursive: true }));

function moduleText(depends: string): Buffer {
	return Buffer.from(`\x7fELF\0license=GPL\0depends=${depends}\0name=x\0`, "latin1");
}

test("dependencies come first, each once, built-in ones not at all", async () => {
	const planned = await planModules(dir, ["llc", "bridge", "two-words", "crc32"]);
	expect(planned.map(({ name }) => name)).toEqual(["llc", "stp", "bridge", "two_words"]);
});

test("a module that the kernel lacks is named", async () => {
	await expect(planModules(dir, ["absent"])).rejects.toMatchObject({
		code: "module-not-found",
		fields: { module: "absent" },
	});
});

test("a module without the entry depends on nothing", () => {
	expect(dependenciesOf(Buffer.from("\x7fELF\0license=GPL\0"))).toEqual([]);
});

test("the signature is cut off by its own length, anything else is left alone", () => {
	const body = Buffer.from("module body");
	const signature = Buffer.alloc(40, 7);
	const trailer = Buffer.alloc(12);
	trailer.writeUInt32BE(signature.length, 8);
	const magic = Buffer.from("~Module signature appended~\n");
	expect(withoutSignature(Buffer.concat([body, signature, trailer, magic]))).toEqual(body);
	expect(withoutSignature(body)).toEqual(body);
	trailer.writeUInt32BE(1_000_000, 8);
	const lying = Buffer.concat([body, signature, trailer, magic]);
	expect(withoutSignature(lying)).toEqual(lying);
});
