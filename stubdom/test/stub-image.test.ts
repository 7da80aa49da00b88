import { mkdtemp, readFile, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContentCache, machineRelease, runProgram } from "@bulkhead/image";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileInit } from "../src/compile-init.ts";
import { QEMU_PATH } from "../src/device-model-files.ts";
import { buildStubImage, type StubImage, type StubImageManifest, writeStubImage } from "../src/stub-image.ts";
import { fetchStubPackages } from "../src/stub-packages.ts";

/** Fetching Debian's packages for the first time takes its while. */
const FETCH_TIMEOUT_MS = 600_000;

let dir: string;
let image: StubImage;
const cache = new ContentCache();

beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), "bulkhead-stub-"));
	image = await buildStubImage({ cache });
}, FETCH_TIMEOUT_MS);
afterAll(() => rm(dir, { recursive: true }));

test("the same packages and sources give the same bytes, in another folder and at another time", async () => {
	const release = await machineRelease();
	const packages = await fetchStubPackages(release, cache, () => {});
	const init = await compileInit(new ContentCache(join(dir, "other-cache")), QEMU_PATH);
	await utimes(init, 1, 1);
	await writeStubImage(dir, release, packages, init, new ContentCache(join(dir, "other-cache")));
	const again = JSON.parse(await readFile(join(dir, "manifest.json"), "utf8")) as StubImageManifest;
	expect(again).toEqual(image.manifest);
}, 120_000);

test("QEMU in the image finds all its libraries, and init is one static program", async () => {
	const listing = await runProgram(["cpio", "--list", "--quiet"], {
		stdin: await readFile(image.ramdisk),
		timeoutMs: 20_000,
	});
	const names = new Set(listing.stdout.toString("utf8").split("\n"));
	for (const path of ["init", "etc/modules", "usr/libexec/xen-qemu-system-i386", "usr/share/doc/bulkhead/packages"])
		expect(names).toContain(path);
	expect([...names].filter((name) => /gstreamer|libssl|libcrypto/.test(name))).toEqual([]);
	const cacheInit = await compileInit(cache, QEMU_PATH);
	const headers = await runProgram(["readelf", "--program-headers", cacheInit], { timeoutMs: 10_000 });
	expect(headers.stdout.toString("latin1")).not.toMatch(/INTERP|DYNAMIC/);
});

test("the kernel is an ELF file with Xen's notes for a PV domain", async () => {
	const notes = await runProgram(["readelf", "--notes", "--wide", image.kernel], { timeoutMs: 20_000 });
	expect(notes.stdout.toString("latin1")).toMatch(/^\s*Xen\s/m);
});
