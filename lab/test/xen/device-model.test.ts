import { STUB_TEST_KERNEL_COMMAND_LINE } from "@bulkhead/stubdom";
import { afterEach, describe, expect, it } from "vitest";
import { bulkhead, eventually, ok, run, useLab } from "./support/dom0.ts";
import { createGuest, destroyAll, findGuest, type GuestDocument, TINY } from "./support/guests.ts";

const TEST_STUB = `stubdomain_cmdline="${STUB_TEST_KERNEL_COMMAND_LINE}"`;
const NOTICED_MS = 5000;

async function killQemu({ lab }: ReturnType<typeof useLab>, { domid, stub }: GuestDocument): Promise<void> {
	await ok(lab, ["xenstore-write", `/local/domain/${stub?.domid}/device-model/${domid}/test/command`, "kill-qemu"]);
}

describe("a device model that dies", () => {
	const the = useLab();
	afterEach(() => destroyAll(the.lab));

	it("takes its guest along by default, within five seconds", async () => {
		const guest = await createGuest(the.lab, TINY, TEST_STUB);
		await killQemu(the, guest);
		await eventually(
			"the guest to be gone",
			async () => ((await findGuest(the.lab, "tiny")) ? undefined : true),
			NOTICED_MS,
		);
		const log = await ok(the.lab, ["cat", "/var/log/bulkhead/bulkheadd.log"]);
		expect(log).toMatch(/"reason":"The device model failed: [^"]*signal 9/);
	});

	it("leaves the guest paused when it is to be paused", async () => {
		const guest = await createGuest(the.lab, TINY, TEST_STUB, 'on_device_model_failure="pause"');
		await killQemu(the, guest);
		const failed = await eventually(
			"the failure to be reported",
			async () => {
				const found = await findGuest(the.lab, "tiny");
				return found?.stub?.state === "failed" && found.phase === "paused" ? found : undefined;
			},
			NOTICED_MS,
		);
		expect(failed.stub?.error).toMatch(/^The device model failed: .*signal 9/);
	});

	it("leaves the guest as it is when it is to be preserved, and destroy still works", async () => {
		const guest = await createGuest(the.lab, TINY, TEST_STUB, 'on_device_model_failure="preserve"');
		await ok(the.lab, ["xl", "destroy", `${guest.stub?.domid}`]);
		const failed = await eventually(
			"the failure to be reported",
			async () => {
				const found = await findGuest(the.lab, "tiny");
				return found?.stub?.state === "failed" ? found : undefined;
			},
			NOTICED_MS,
		);
		expect(failed.stub?.error).toBe("The stub domain ended (destroyed)");
		expect(failed.phase).not.toBe("ended");
		await ok(the.lab, ["bulkhead", "destroy", "tiny"]);
		expect(await ok(the.lab, ["xl", "list"])).not.toMatch(/tiny|\(null\)/);
	});

	it("that cannot start is an error with a reason at once, not a time-out", async () => {
		const began = Date.now();
		const { exitCode, stdout } = await run(the.lab, [
			"bulkhead",
			"--json",
			"create",
			TINY,
			'device_model_args=["-no-such-option"]',
		]);
		expect(exitCode).not.toBe(0);
		const { error } = JSON.parse(stdout);
		expect(error.code).toBe("device-model-failed");
		expect(JSON.stringify(error)).toContain("no-such-option");
		expect(Date.now() - began).toBeLessThan(60_000);
		expect(await bulkhead(the.lab, "list")).toEqual([]);
	});
});
