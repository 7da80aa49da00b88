import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HypervisorError } from "../src/errors.ts";
import { openHypervisor, openRingHost } from "../src/native/index.ts";
import { loadError } from "../src/native/load-addon.ts";

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "bulkhead-addon-"));
	vi.stubEnv("BULKHEAD_NATIVE_DIR", folder);
});
afterEach(async () => {
	vi.unstubAllEnvs();
	await rm(folder, { recursive: true });
});

describe.each([openHypervisor, openRingHost])("%o without its addon", (open) => {
	test("says that it is not installed, and where that was looked for", () => {
		expect(open).toThrow(HypervisorError);
		expect(open).toThrow(expect.objectContaining({ fields: expect.objectContaining({ looked: [folder] }) }));
	});

	test("says so when the file is no addon", async () => {
		await writeFile(join(folder, "xenrings.node"), "not an ELF file");
		expect(open).toThrow(HypervisorError);
		expect(open).toThrow(
			expect.objectContaining({
				message: expect.stringContaining("could not be loaded"),
				remedy: expect.stringContaining("Build the addon again"),
				cause: expect.objectContaining({ code: "ERR_DLOPEN_FAILED" }),
			}),
		);
	});
});

describe("loadError", () => {
	test("names a missing library of Xen", () => {
		const error = loadError(
			"/x/xenrings.node",
			new Error("libxenevtchn.so.1: cannot open shared object file: No such file or directory"),
		);
		expect(error.message).toBe("Xen's library libxenevtchn.so.1 is not on this machine");
		expect(error.remedy).toBe("Install Xen's run-time libraries");
	});

	test("tells that a versioned library belongs to another Xen", () => {
		const error = loadError(
			"/x/xenctrl.node",
			new Error("libxenctrl.so.4.17: cannot open shared object file: No such file or directory"),
		);
		expect(error.fields.library).toBe("libxenctrl.so.4.17");
		expect(error.remedy).toContain("the Xen that the addon was built for");
	});

	test("keeps any other reason as the cause", () => {
		const cause = new Error("undefined symbol: xc_new_call");
		expect(loadError("/x/xenctrl.node", cause)).toMatchObject({ cause, remedy: expect.any(String) });
	});
});
