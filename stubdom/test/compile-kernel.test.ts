import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compileKernel } from "../src/compile-kernel.ts";

const FRAGMENT = "CONFIG_XEN=y\nCONFIG_TUN=y\n# CONFIG_MODULES is not set\n";

/** A source tree as far as compileKernel sees one: a Makefile with the two targets that it asks for. */
describe("compileKernel", () => {
	let dir: string;
	beforeEach(async () => {
		dir = await mkdtemp(join(tmpdir(), "bulkhead-kernel-"));
	});
	afterEach(() => rm(dir, { recursive: true }));

	const makefile = (allnoconfig: string, vmlinux: string): Promise<void> =>
		writeFile(join(dir, "Makefile"), `allnoconfig:\n\t@${allnoconfig}\n\nvmlinux:\n\t@${vmlinux}\n`);
	const CONFIGURE = "cp $(KCONFIG_ALLCONFIG) .config";

	it("configures, then compiles, in a fixed environment", async () => {
		await makefile(CONFIGURE, 'echo "$$KBUILD_BUILD_USER $$KBUILD_BUILD_TIMESTAMP$$CFLAGS" > vmlinux');
		process.env.CFLAGS = " -O3";
		try {
			await compileKernel(dir, { fragment: FRAGMENT });
		} finally {
			delete process.env.CFLAGS;
		}
		expect(await readFile(join(dir, "vmlinux"), "utf8")).toBe("bulkhead Thu Jan  1 00:00:00 UTC 1970\n");
	});

	it("fails before compiling, and names them, when requests are silently dropped", async () => {
		await makefile("printf 'CONFIG_XEN=y\\nCONFIG_MODULES=y\\n' > .config", "touch vmlinux");
		await expect(compileKernel(dir, { fragment: FRAGMENT })).rejects.toMatchObject({
			code: "kernel-config-unmet",
			message: "The kernel's configuration drops CONFIG_TUN=y, # CONFIG_MODULES is not set",
			fields: { unmet: ["CONFIG_TUN=y", "# CONFIG_MODULES is not set"] },
		});
		await expect(access(join(dir, "vmlinux"))).rejects.toThrow();
	});

	it("shows the end of the log, with a remedy, when the compiler fails", async () => {
		await makefile(CONFIGURE, "for i in $$(seq 20); do echo line $$i >&2; done; exit 1");
		const failed = compileKernel(dir, { fragment: FRAGMENT });
		await expect(failed).rejects.toMatchObject({
			code: "kernel-build-failed",
			message: expect.stringMatching(/did not build:\nline 10\n(.*\n)*line 20\nmake: .* Error 1$/),
			remedy: expect.stringContaining("tools/setup"),
		});
	});

	it("ends the whole build when it is aborted", async () => {
		const abort = new AbortController();
		// The sleeper holds the pipe that the call waits on: it settles only when the last process is gone.
		await makefile(CONFIGURE, "sleep 60 & echo $$! > started; wait");
		const running = compileKernel(dir, { fragment: FRAGMENT, signal: abort.signal });
		running.catch(() => {});
		await expect.poll(() => readFile(join(dir, "started"), "utf8").catch(() => ""), { timeout: 10_000 }).toMatch(/\d/);
		abort.abort();
		await expect(running).rejects.toMatchObject({
			code: "cancelled",
			message: "Stopped building the stub domain's kernel",
		});
	});
});
