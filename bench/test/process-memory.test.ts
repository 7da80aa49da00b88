import { describe, expect, it } from "vitest";
import { readProcess } from "../src/create/process-memory.ts";

describe("readProcess", () => {
	it("names Node's script and a program without its folder", () => {
		expect(readProcess("12 Rss:900 Pss:800 Anonymous:700  node /usr/lib/bulkhead/bulkheadd.mjs --x ")).toEqual({
			pid: 12,
			program: "bulkheadd.mjs",
			rssKiB: 900,
			pssKiB: 800,
			anonymousKiB: 700,
		});
		expect(readProcess("7 Rss:1 Pss:1 Anonymous:0  /usr/libexec/xen-qemu-system-i386 -xen-domid 5 ")?.program).toBe(
			"xen-qemu-system-i386",
		);
	});

	it("passes over what is no process", () => {
		expect(readProcess("")).toBeUndefined();
	});
});
