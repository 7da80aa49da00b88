import { mkdtemp, readFile, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContentCache, DebianPackages, machineRelease, runProgram } from "@bulkhead/image";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileInit } from "../src/compile-init.ts";
import { QEMU_PATH } from "../src/device-model-files.ts";
import { unmetRequests } from "../src/kernel-fragment.ts";
import { buildMinimalKernel, KERNEL_FRAGMENT } from "../src/minimal-kernel.ts";
import { buildStubImage, type StubImage, type StubImageManifest, writeStubImage } from "../src/stub-image.ts";
import { fetchStubPackages, type StubKernelKind } from "../src/stub-packages.ts";
import { buildBzImage } from "../src/variants.ts";

/** For the first time it fetches packages and compiles a kernel. */
const BUILD_TIMEOUT_MS = 30 * 60_000;

let dir: string;
let image: StubImage;
let debianImage: StubImage;
const cache = new ContentCache();

beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), "bulkhead-stub-"));
	image = await buildStubImage({ cache });
	debianImage = await buildStubImage({ cache, kernel: "debian" });
}, BUILD_TIMEOUT_MS);
afterAll(() => rm(dir, { recursive: true }));

const listing = async ({ ramdisk }: StubImage): Promise<Set<string>> => {
	const stdin = await readFile(ramdisk);
	const { stdout } = await runProgram(["cpio", "--list", "--quiet"], { stdin, timeoutMs: 20_000 });
	return new Set(stdout.toString("utf8").split("\n"));
};

test.each<StubKernelKind>(["minimal", "debian"])(
	"the same inputs give the same bytes, in another folder and at another time: %s kernel",
	async (kernel) => {
		const release = await machineRelease();
		const packages = await fetchStubPackages({ release, kernel, cache, onProgress: () => {} });
		const init = await compileInit(new ContentCache(join(dir, "other-cache")), QEMU_PATH);
		await utimes(init, 1, 1);
		await writeStubImage(dir, release, packages, init, new ContentCache(join(dir, "other-cache")));
		const again = JSON.parse(await readFile(join(dir, "manifest.json"), "utf8")) as StubImageManifest;
		expect(again).toEqual((kernel === "minimal" ? image : debianImage).manifest);
	},
	120_000,
);

test("QEMU in the image finds all its libraries, and init is one static program", async () => {
	const names = await listing(image);
	for (const path of ["init", "usr/libexec/xen-qemu-system-i386", "usr/share/doc/bulkhead/packages"])
		expect(names).toContain(path);
	// VNC ends without the layout that -k names, and without en-us when nothing does.
	for (const layout of ["en-us", "de", "pt-br"]) expect(names).toContain(`usr/share/qemu/keymaps/${layout}`);
	expect([...names].filter((name) => /gstreamer|libssl|libcrypto/.test(name))).toEqual([]);
	const cacheInit = await compileInit(cache, QEMU_PATH);
	const headers = await runProgram(["readelf", "--program-headers", cacheInit], { timeoutMs: 10_000 });
	expect(headers.stdout.toString("latin1")).not.toMatch(/INTERP|DYNAMIC/);
});

test("modules and their lists are in the image of Debian's kernel only", async () => {
	const modules = /^(etc\/modules|usr\/lib\/modules)/;
	expect([...(await listing(image))].filter((name) => modules.test(name))).toEqual([]);
	expect(image.manifest.modules).toEqual([]);
	expect([...(await listing(debianImage))].filter((name) => modules.test(name))).toContain("etc/modules");
	expect(debianImage.manifest.modules).toContain("xen_privcmd");
});

test("both kernels are ELF files with Xen's notes for a PV domain", async () => {
	for (const { kernel } of [image, debianImage]) {
		const notes = await runProgram(["readelf", "--notes", "--wide", kernel], { timeoutMs: 20_000 });
		expect(notes.stdout.toString("latin1")).toMatch(/^\s*Xen\s/m);
	}
});

test("every line of the kernel's fragment came true in the configuration that was built", async () => {
	const debian = await DebianPackages.open({ release: await machineRelease(), cache });
	const { vmlinuxPath } = await buildMinimalKernel({ debian, cache });
	const config = await readFile(join(vmlinuxPath, "../config"), "utf8");
	expect(unmetRequests(await readFile(KERNEL_FRAGMENT, "utf8"), config)).toEqual([]);
	expect(config).toContain("CONFIG_XEN_PV=y\n");
});

test("only Debian's kernel has a bzImage", async () => {
	await expect(buildBzImage(image, cache)).rejects.toMatchObject({ code: "invalid-input" });
});
