import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lab } from "../../src/lab.ts";
import { installEvilRamdisk } from "./malicious-qemu/evil-ramdisk.ts";
import { bulkhead, ok, run, useLab } from "./support/dom0.ts";
import { createRefused, destroyAll, type ErrorDocument, findGuest, listGuests } from "./support/guests.ts";
import { startTiny } from "./support/tiny-guest.ts";

const RAMDISK = "/tmp/evil.cpio";
const CONFIG = "/tmp/evil.cfg";
const LOGS = ["/var/log/bulkhead/bulkheadd.log", "/var/log/bulkhead/bulkhead-relay.log"];
const MOST_GROWTH_KIB = 64 * 1024;
/** The greeting's limit (create-actions.ts) and what a create takes besides. */
const MUTE_LIMIT_MS = 60_000;

const configText = (name: string, way: string): string =>
	[
		`name = "${name}"`,
		'type = "hvm"',
		"memory = 32",
		'vga = "none"',
		`stubdomain_ramdisk = "${RAMDISK}"`,
		'device_model_version = "qemu-xen"',
		"device_model_stubdomain_override = 1",
		`device_model_args = [ "evil=${way}" ]`,
	].join("\n");

async function relayKib(lab: Lab): Promise<number> {
	const script = "grep VmRSS /proc/$(pgrep -f [b]ulkhead-relay.mjs | head -1)/status";
	return Number(/(\d+) kB/.exec(await ok(lab, ["sh", "-c", script]))?.[1]);
}

/** Bytes in the logs that a terminal would obey: control characters, and the 8-bit CSI in UTF-8. */
async function controlsInLogs(lab: Lab): Promise<number> {
	const script = `cat ${LOGS.join(" ")} | tr '\\233' '\\033' | tr -cd '\\000-\\010\\013-\\037\\177' | wc -c`;
	return Number(await ok(lab, ["sh", "-c", script]));
}

/** Tells the evil QEMU a command that must fail, and how. */
async function failure(lab: Lab, command: string, timeoutSeconds = 10): Promise<ErrorDocument> {
	const args = ["bulkhead", "--json", "qmp", "evil", command, "--timeout", `${timeoutSeconds}`];
	const { exitCode, stdout } = await run(lab, args);
	expect(exitCode).not.toBe(0);
	expect(stdout).toMatch(/^[\n\x20-\x7e]*$/);
	return (JSON.parse(stdout) as { error: ErrorDocument }).error;
}

const expectNeighbourWell = async (lab: Lab): Promise<void> =>
	expect(await bulkhead(lab, "qmp", "tiny", "query-status", "--timeout", "5")).toMatchObject({
		return: { running: true },
	});

describe("a stub domain in wrong hands", () => {
	const the = useLab();

	beforeAll(async () => {
		await installEvilRamdisk(the.lab, RAMDISK);
		await startTiny(the.lab);
		await ok(the.lab, ["sh", "-c", `cat > ${CONFIG}`], { stdin: configText("evil", "all") });
		// Paused: it has no devices to boot with.
		await ok(the.lab, ["bulkhead", "create", "--paused", CONFIG]);
	});
	afterAll(async () => {
		await destroyAll(the.lab);
		await run(the.lab, ["rm", "-f", RAMDISK, CONFIG]);
	});

	it("fails one command at a time, says why in plain words, and costs neither memory nor its neighbours", async () => {
		const before = await relayKib(the.lab);
		expect(await failure(the.lab, "query-name")).toMatchObject({ code: "protocol-error" });
		expect(await failure(the.lab, "query-uuid")).toMatchObject({ code: "qmp-refused" });
		expect(await failure(the.lab, "query-kvm", 1)).toMatchObject({ code: "deadline-exceeded" });
		await expectNeighbourWell(the.lab);
		// Events by the thousand on the way to an answer, which is right in the end.
		expect(await bulkhead(the.lab, "qmp", "evil", "query-mice", "--timeout", "30")).toEqual({ return: [] });
		await expectNeighbourWell(the.lab);
		// A line without end: the session's end.
		expect(await failure(the.lab, "query-pci")).toMatchObject({ code: "qmp-connection-lost" });
		await expectNeighbourWell(the.lab);
		expect((await relayKib(the.lab)) - before).toBeLessThan(MOST_GROWTH_KIB);
		expect(await controlsInLogs(the.lab)).toBe(0);
	});

	it("is destroyed as any other", async () => {
		await ok(the.lab, ["bulkhead", "destroy", "evil"]);
		expect(await findGuest(the.lab, "evil")).toBeUndefined();
		await expectNeighbourWell(the.lab);
	});

	it("that never greets is no guest, within the time, and nothing is left of it", async () => {
		await ok(the.lab, ["sh", "-c", `cat > ${CONFIG}`], { stdin: configText("mute", "mute") });
		const started = performance.now();
		const { error } = await createRefused(the.lab, CONFIG, "--paused");
		expect(performance.now() - started).toBeLessThan(MUTE_LIMIT_MS);
		expect(JSON.stringify(error)).toContain("did not greet");
		expect((await listGuests(the.lab)).map(({ name }) => name)).toEqual(["tiny"]);
		await expectNeighbourWell(the.lab);
	});
});
