import { domId, evtchnPort } from "@bulkhead/base";
import { expect, test, vi } from "vitest";
import type { ControlAddon } from "../src/native/addon-shapes.ts";
import { NativeGuestBuilder } from "../src/native/guest-builder.ts";

const request = {
	domid: domId(3),
	maxVcpus: 1,
	storePort: evtchnPort(1),
	consolePort: evtchnPort(2),
	memoryKiB: 1024,
	kernel: "/boot/kernel",
	commandLine: "quiet",
};

test("a missing ramdisk is passed as none", async () => {
	const buildPv = vi.fn(async () => ({ storeFrame: 1, consoleFrame: 2 }));
	const builder = new NativeGuestBuilder({ buildPv } as unknown as ControlAddon);
	expect(await builder.buildPv(request)).toEqual({ storeFrame: 1, consoleFrame: 2 });
	expect(buildPv).toHaveBeenCalledWith({ ...request, ramdisk: "" });
});

test("no more than two builds hold worker threads at once, and failures give their place on", async () => {
	let inside = 0;
	let most = 0;
	const buildPv = async ({ domid }: { domid: number }): Promise<never> => {
		most = Math.max(most, ++inside);
		await new Promise((resolve) => setImmediate(resolve));
		inside--;
		throw Object.assign(new Error(), { operation: "xc_dom_parse_image", errno: "", log: [`bad image of ${domid}`] });
	};
	const builder = new NativeGuestBuilder({ buildPv } as unknown as ControlAddon);
	const results = await Promise.allSettled(
		Array.from({ length: 6 }, (_, n) => builder.buildPv({ ...request, domid: domId(n) })),
	);
	expect(most).toBe(2);
	for (const [n, result] of results.entries())
		expect(result).toMatchObject({
			status: "rejected",
			reason: { message: `Could not build domain ${n} from /boot/kernel: bad image of ${n}` },
		});
});
