import { describe, expect, test } from "vitest";
import { HypervisorError } from "../src/errors.ts";
import { addonFolders, addonPath, INSTALLED_NATIVE_DIR } from "../src/native/addon-path.ts";

const checkout = "/home/me/bulkhead/packages/hypervisor/src/native/addon-path.ts";

describe("addonFolders", () => {
	test("the environment's folder is the only one when named", () => {
		expect(addonFolders({ env: { BULKHEAD_NATIVE_DIR: "/opt/native" }, moduleFile: checkout })).toEqual([
			"/opt/native",
		]);
	});

	test("a source checkout adds its own build folder, after the installed one", () => {
		const folders = [INSTALLED_NATIVE_DIR, "/home/me/bulkhead/packages/hypervisor/build"];
		expect(addonFolders({ env: {}, moduleFile: checkout })).toEqual(folders);
		expect(addonFolders({ env: {}, moduleFile: checkout.replace("/src/", "/dist/") })).toEqual(folders);
	});

	test("a bundle looks at no place beside itself", () => {
		expect(addonFolders({ env: {}, moduleFile: "/usr/lib/bulkhead/bulkheadd.mjs" })).toEqual([INSTALLED_NATIVE_DIR]);
	});
});

describe("addonPath", () => {
	test("answers the first folder that has the file", () => {
		const exists = (path: string): boolean => path.startsWith("/home/");
		expect(addonPath("xenrings", { env: {}, moduleFile: checkout, exists })).toBe(
			"/home/me/bulkhead/packages/hypervisor/build/xenrings.node",
		);
	});

	test("tells where it looked and what to do when none has it", () => {
		const search = (): string => addonPath("xenctrl", { env: {}, moduleFile: checkout, exists: () => false });
		expect(search).toThrow(HypervisorError);
		expect(search).toThrow(
			expect.objectContaining({
				code: "hypervisor-refused",
				errno: "ENOENT",
				message: expect.stringContaining("xenctrl.node"),
				remedy: expect.stringContaining("BULKHEAD_NATIVE_DIR"),
				fields: expect.objectContaining({
					looked: [INSTALLED_NATIVE_DIR, "/home/me/bulkhead/packages/hypervisor/build"],
				}),
			}),
		);
	});
});
