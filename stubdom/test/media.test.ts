import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileProbe, type Probe } from "./compile-probe.ts";

const WRAPPED = ["socket", "bind", "recvmsg", "open"].map((name) => `-Wl,--wrap=${name}`);
const addFd = (devid: number): string =>
	`qemu: {"execute":"add-fd","arguments":{"opaque":"stub-devid:${devid}"},"id":"medium-${devid}"}`;

describe("init gives QEMU the media of CD drives", () => {
	let probe: Probe;
	beforeAll(async () => {
		probe = await compileProbe("media-probe", ["media.c", "dm-argv.c"], WRAPPED);
	}, 60_000);
	afterAll(() => probe[Symbol.asyncDispose]());

	test("one after the other, read-only, only the kernel's and only for drives that there are", async () => {
		const [watch, ...lines] = await probe.run();
		expect(watch).toBe("watch 0");
		expect(lines.slice(0, 9)).toEqual([
			'qemu: {"execute":"qmp_capabilities"}',
			addFd(5632),
			"qemu has /dev/xvdc",
			"second waits",
			"log: medium xvdc: given to the device model",
			addFd(832),
			"qemu has /dev/xvdb",
			'log: medium xvdb: refused by the device model: {"id": "medium-832", "error": {"class": "GenericError", "desc": "no"}}\r',
			"not for us",
		]);
		expect(lines.slice(9, 11)).toEqual([
			"log: disk xvda: device 51712 is no drive of the guest",
			expect.stringMatching(/^log: medium xvdc: cannot be given to the device model: /),
		]);
		expect(lines.slice(11, 15)).toEqual([
			"log: medium xvdc: too many at once",
			"log: medium xvdc: too many at once",
			addFd(5632),
			"qemu has /dev/xvdc",
		]);
		expect(lines[15]).toMatch(/^log: medium xvdc: refused by the device model: /);
		expect(lines.slice(16)).toEqual(
			Array.from({ length: 7 }, () => "log: medium xvdc: cannot be given to the device model: it has no monitor"),
		);
	});
});
