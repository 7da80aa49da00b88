import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DebianPackages, machineRelease } from "@bulkhead/image";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WireClient } from "../../src/contract/histories/index.ts";
import { XenstoreServer } from "../../src/server/index.ts";
import { type Outcome, runProgram } from "./run-program.ts";

let directory: string;
let socket: string;
let server: XenstoreServer;

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "xenstore-programs-"));
	socket = join(directory, "socket");
	server = await XenstoreServer.listen(socket);
});

afterEach(async () => {
	await expect.poll(() => server.counts.clients).toBe(0);
	server.assertIdle();
	await server.close();
	await rm(directory, { recursive: true });
});

/** `xenstore-<name>` of Debian's xenstore-utils. */
function xenstore(name: string, ...args: string[]): Promise<Outcome> {
	return runProgram(`xenstore-${name}`, args, socket);
}

/** What it prints. */
async function output(name: string, ...args: string[]): Promise<string> {
	const { status, stdout, stderr } = await xenstore(name, ...args);
	expect({ name, args, status, stderr }).toEqual({ name, args, status: 0, stderr: "" });
	return stdout;
}

/**
 * Runs programs of Debian's xen-utils: unpacked only, since installing it would start Xen's daemons. Which of Xen's libraries
 * they need differs from one version to the next; libxen-dev brings them all.
 */
async function xenUtils(): Promise<(name: string, ...args: string[]) => Promise<Outcome>> {
	const debian = await DebianPackages.open({ release: await machineRelease() });
	const version = debian.release === "trixie" ? "4.20" : "4.17";
	const programs = `${await debian.unpack([`xen-utils-${version}`])}/usr/lib/xen-${version}/bin`;
	const libraries = `${await debian.unpack(["libxen-dev"], { dependencies: true })}/usr/lib/x86_64-linux-gnu`;
	return (name, ...args) => runProgram(`${programs}/${name}`, args, socket, { LD_LIBRARY_PATH: libraries });
}

describe("Xen's own programs", () => {
	it("write, read, list and look for nodes", async () => {
		await output("write", "/a/b", "hello", "/a/c", "");
		expect(await output("read", "/a/b")).toBe("hello\n");
		expect(await output("read", "-p", "/a/b", "/a/c")).toBe("/a/b: hello\n/a/c: \n");
		expect(await output("list", "/a")).toBe("b\nc\n");
		expect(await output("list", "-p", "/a")).toBe("/a/b\n/a/c\n");
		await output("exists", "/a/b");
		expect(await xenstore("exists", "/a/none")).toMatchObject({ status: 1 });
		expect(await xenstore("read", "/a/none")).toMatchObject({ status: 1, stdout: "" });
		expect((await xenstore("read", "/a/none")).stderr).toContain("couldn't read path /a/none");
	});

	it("show the tree with its permissions", async () => {
		await output("write", "/a/b", "one\ttwo");
		await output("chmod", "/a", "n0", "r5");
		expect(await output("ls", "/a")).toBe('b = "one\\ttwo"\n');
		expect(await output("ls", "-f", "-p", "/")).toBe(
			['/tool = ""   (n0)', '/tool/xenstored = ""   (n0)', '/a = ""   (n0,r5)', '/a/b = "one\\ttwo"   (n0)\n'].join(
				"\n",
			),
		);
	});

	it("show directories that one message cannot hold", async () => {
		for (let index = 0; index < 1000; index++) server.host.write(`/large/node-${index}`, `${index}`);
		const lines = (await output("ls", "/large")).trimEnd().split("\n");
		expect(lines).toHaveLength(1000);
		expect(lines[999]).toBe('node-999 = "999"');
	});

	it("change permissions, of whole trees too", async () => {
		await output("write", "/a/b/c", "");
		await output("chmod", "-r", "/a", "b0", "n7");
		for (const path of ["/a", "/a/b", "/a/b/c"])
			expect(await output("ls", "-p", "-f", path.replace(/\/[^/]*$/, "") || "/")).toContain(`${path} = ""   (b0,n7)`);
		expect((await xenstore("chmod", "/none", "n0")).status).not.toBe(0);
	});

	it("remove nodes, and their empty parents when told to", async () => {
		await output("write", "/a/b/c", "", "/d/e", "");
		await output("rm", "/a/b");
		expect(server.host.findList("/a")).toEqual([]);
		await output("rm", "-t", "/d/e");
		expect(server.host.findList("/")).toEqual(["tool", "a"]);
		expect((await xenstore("rm", "/none/at/all")).status).not.toBe(0);
	});

	it("watch, until so many events have come", async () => {
		const watching = xenstore("watch", "-n", "3", "/w", "@introduceDomain");
		await expect.poll(() => server.counts.watches).toBe(2);
		server.host.write("/w/below", "");
		expect(await watching).toMatchObject({ status: 0, stdout: "/w\n@introduceDomain\n/w/below\n" });
	});

	it("ask the server itself", async () => {
		const run = await xenUtils();
		expect(await run("xenstore-control", "check")).toMatchObject({ status: 0, stdout: "OK\n" });
		const quotas = /^Quota settings:\nnodes {12}: {5}1000 Nodes per domain\n/;
		expect((await run("xenstore-control", "quota")).stdout).toMatch(quotas);
		expect((await run("xenstore-control", "no-such")).status).not.toBe(0);
	}, 120_000);

	it("take turns in a transaction that others disturb", async () => {
		const all = Array.from({ length: 8 }, (_, index) => output("write", `/t/${index}`, `${index}`));
		await Promise.all(all);
		expect(server.host.findList("/t")).toHaveLength(8);
	});
});

describe("Xen's test program, test-xenstore", () => {
	it("passes, again and again, and at random", async () => {
		const run = await xenUtils();
		const passed = await run("test-xenstore", "--iterations", "50");
		expect(passed).toMatchObject({ status: 0, stderr: "" });
		expect(passed.stdout.match(/avg:/g)).toHaveLength(12);
		expect(passed.stdout).not.toContain("failed");
		expect(await run("test-xenstore", "--random", "1")).toMatchObject({ status: 0, stderr: "" });
		expect(server.host.findList("/local/domain/0")).toEqual([]);
	}, 120_000);
});

describe("a Python client, pyxs", () => {
	it("reads, writes, commits and watches", async () => {
		const script = join(import.meta.dirname, "pyxs-client.py");
		const { status, stdout, stderr } = await runProgram("/usr/bin/python3", [script, socket], socket);
		expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
		expect(JSON.parse(stdout)).toEqual({
			read: ["one", "two"],
			list: ["value", "bytes", "dir"],
			exists: [true, false],
			perms: ["n0", "r0"],
			missing: 2,
			transaction: "committed",
			domain: "/local/domain/0",
			deleted: false,
			events: [
				["/py/watched", "token"],
				["/py/watched/below", "token"],
			],
		});
	});
});

describe("a client without any library", () => {
	it("sees what Xen's programs have written", async () => {
		await output("write", "name", "relative to domain 0");
		const client = await WireClient.open(socket);
		expect(await client.ask("READ", "/local/domain/0/name\0")).toEqual({ payload: "relative to domain 0" });
		client.close();
	});
});
