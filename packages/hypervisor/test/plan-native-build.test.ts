import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { NATIVE_TARGETS } from "../src/build/native-targets.ts";
import { planNativeBuild } from "../src/build/plan-native-build.ts";

const nativeDir = fileURLToPath(new URL("../native/", import.meta.url));
const places = {
	sourceDir: "/src",
	objectDir: "/obj",
	outDir: "/out",
	nodeHeaders: "/node",
	addonApiHeaders: "/napi",
	multiarch: "x86_64-linux-gnu",
};

describe("NATIVE_TARGETS", () => {
	const listed = new Set<string>(Object.values(NATIVE_TARGETS).flatMap(({ sources }) => [...sources]));

	test("every source is there, and every file is in a target", () => {
		const files = readdirSync(nativeDir)
			.filter((name) => name.endsWith(".cc"))
			.map((name) => name.slice(0, -3));
		expect([...listed].sort()).toEqual(files.sort());
	});

	test("the target with the stable ABI includes nothing of the versioned libraries", () => {
		const seen = new Set<string>();
		const visit = (name: string): void => {
			if (seen.has(name) || !existsSync(join(nativeDir, name))) return;
			seen.add(name);
			for (const [, header] of readFileSync(join(nativeDir, name), "utf8").matchAll(/#include ["<]([^">]+)[">]/g)) {
				expect(["xenctrl.h", "xenguest.h"], name).not.toContain(header);
				visit(header as string);
			}
		};
		for (const source of NATIVE_TARGETS.xenrings.sources) visit(`${source}.cc`);
		expect(seen.size).toBeGreaterThan(NATIVE_TARGETS.xenrings.sources.length);
		expect(NATIVE_TARGETS.xenrings.libraries).not.toContain("xenctrl");
	});
});

describe("planNativeBuild", () => {
	test("compiles each source once, though both targets use it", () => {
		const outputs = planNativeBuild(places).compile.map(({ output }) => output);
		expect(new Set(outputs).size).toBe(outputs.length);
		expect(outputs).toContain("/obj/failure.o");
	});

	test("links what it compiled", () => {
		const { compile, link } = planNativeBuild(places);
		const made = new Set(compile.map(({ output }) => output));
		expect(link.map(({ output }) => output)).toEqual(["/out/xenrings.node", "/out/xenctrl.node"]);
		for (const { args } of link)
			for (const input of args.filter((arg) => arg.startsWith("/obj/"))) expect(made).toContain(input);
	});

	test("takes headers and libraries from the sysroot, and from nowhere in particular without one", () => {
		const inside = planNativeBuild({ ...places, sysroot: "/sys" });
		expect(inside.compile[0]?.args).toContain("/sys/usr/include");
		expect(inside.link[0]?.args).toContain("-L/sys/usr/lib/x86_64-linux-gnu");
		const without = planNativeBuild(places);
		expect(without.link[0]?.args.filter((arg) => arg.startsWith("-L"))).toEqual([]);
	});
});
