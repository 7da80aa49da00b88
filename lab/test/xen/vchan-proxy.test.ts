import type { ChildProcess } from "node:child_process";
import { STUB_KERNEL_COMMAND_LINE } from "@bulkhead/stubdom";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lab } from "../../src/lab.ts";
import { converse, type QmpMessage, sayQmp } from "./support/conversation.ts";
import { eventually, ok, run, useLab } from "./support/dom0.ts";

const OURS = ["node", "/usr/lib/bulkhead/vchan-socket-proxy.mjs"];
/** Where libxl of Debian 12 looks, and what its link leads to. */
const XENS = "/usr/bin/vchan-socket-proxy";
const WRAPPER = "/tmp/vchan-socket-proxy";
const NODES = "/bulkhead-test/proxy";
const [BEHIND, FRONT] = ["/tmp/proxy-behind.sock", "/tmp/proxy-front.sock"];
const CONFIG = "/tmp/proxied.cfg";
/** Patterns that the shell which runs pgrep does not match itself. */
const SPAWNED = "[/]bulkhead-test/proxy";
const XLS = "[v]chan-socket-proxy.mjs --state-path";
const RECONNECTS = 5;

const QEMU = [
	"/usr/libexec/xen-qemu-system-i386",
	"-M",
	"none",
	"-accel",
	"qtest",
	"-nodefaults",
	"-display",
	"none",
	"-S",
];

async function untilSocket(lab: Lab, path: string): Promise<void> {
	await eventually(path, async () => ((await run(lab, ["test", "-S", path])).exitCode === 0 ? true : undefined));
}

/** The greeting and the answer of the QEMU behind, through the socket in front. */
function askThrough(lab: Lab): Promise<QmpMessage[]> {
	return converse(lab, `UNIX-CONNECT:${FRONT}`, (peer) => sayQmp(peer, "qmp_capabilities", "query-status"));
}

describe("our stand-in for Xen's vchan-socket-proxy", () => {
	const the = useLab();
	let children: ChildProcess[] = [];

	beforeAll(async () => {
		const script = `#!/bin/sh\nexec ${OURS.join(" ")} "$@"\n`;
		await ok(the.lab, ["sh", "-c", `cat > ${WRAPPER} && chmod 755 ${WRAPPER}`], { stdin: script });
	});
	afterAll(async () => {
		await run(the.lab, ["umount", XENS]);
		await run(the.lab, ["rm", "-f", WRAPPER, CONFIG, BEHIND, FRONT]);
		await run(the.lab, ["xenstore-rm", "/bulkhead-test"]);
	});

	it.each([
		["client, to Xen's server", OURS, [XENS]],
		["server, to Xen's client", [XENS], OURS],
	])("is a %s, and greets everybody", async (_, client, server) => {
		try {
			children = [the.lab.spawn([...QEMU, "-qmp", `unix:${BEHIND},server=on,wait=off`])];
			await untilSocket(the.lab, BEHIND);
			children.push(
				the.lab.spawn([...server, "--mode=server", "--state-path=/bulkhead-test/state", "0", NODES, BEHIND]),
			);
			await eventually("the server", async () =>
				(await run(the.lab, ["xenstore-read", "/bulkhead-test/state"])).stdout.trim() === "running" ? true : undefined,
			);
			children.push(the.lab.spawn([...client, "-v", "0", NODES, FRONT]));
			await untilSocket(the.lab, FRONT);
			for (let round = 0; round < RECONNECTS; round++) {
				const [greeting, capabilities, status] = await askThrough(the.lab);
				expect(greeting, `round ${round}`).toHaveProperty("QMP.version");
				expect(capabilities, `round ${round}`).toHaveProperty("return", {});
				expect(status, `round ${round}`).toHaveProperty("return.status", "prelaunch");
			}
		} finally {
			for (const child of children) child.kill();
			await run(the.lab, ["pkill", "-f", "[u]nix:/tmp/proxy-behind.sock"]);
			await run(the.lab, ["pkill", "-f", SPAWNED]);
			await eventually("all of them to end", async () =>
				(await run(the.lab, ["pgrep", "-f", SPAWNED])).exitCode !== 0 ? true : undefined,
			);
			await run(the.lab, ["rm", "-f", BEHIND, FRONT]);
			await run(the.lab, ["xenstore-rm", "/bulkhead-test"]);
		}
	});

	it("serves xl: a guest with a Linux stub domain is created, asked and destroyed, and no proxy is left", async () => {
		await ok(the.lab, ["mount", "--bind", WRAPPER, XENS]);
		const config = [
			'name = "proxied"',
			'type = "hvm"',
			"memory = 32",
			'vga = "none"',
			"vnc = 0",
			'serial = "pty"',
			'device_model_version = "qemu-xen"',
			"device_model_stubdomain_override = 1",
			'stubdomain_kernel = "/usr/lib/bulkhead/stubdom/vmlinux"',
			'stubdomain_ramdisk = "/usr/lib/bulkhead/stubdom/rootfs.cpio"',
			"stubdomain_memory = 128",
			`stubdomain_cmdline = "${STUB_KERNEL_COMMAND_LINE}"`,
		].join("\n");
		await ok(the.lab, ["sh", "-c", `mkdir -p /var/log/xen && cat > ${CONFIG}`], { stdin: config });
		// xl leaves a child behind that holds its output open.
		await ok(the.lab, ["sh", "-c", `xl create -p ${CONFIG} >/tmp/proxied.log 2>&1 </dev/null`], { timeoutMs: 90_000 });
		try {
			for (let round = 0; round < 3; round++) {
				const status = await ok(the.lab, ["xl", "qemu-monitor-command", "proxied", "info status"]);
				expect(status).toContain("VM status");
			}
			const { stdout } = await run(the.lab, ["pgrep", "-f", XLS]);
			expect(stdout.trim()).toMatch(/^\d+$/);
		} finally {
			await run(the.lab, ["xl", "destroy", "proxied"]);
		}
		await eventually("the proxy's end", async () =>
			(await run(the.lab, ["pgrep", "-f", XLS])).exitCode !== 0 ? true : undefined,
		);
	});
});
