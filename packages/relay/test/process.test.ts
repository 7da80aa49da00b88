import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BulkheadError, InvalidInputError } from "@bulkhead/base";
import { describe, expect, it, onTestFinished } from "vitest";
import { dropPrivileges, type Identity } from "../src/process/drop-privileges.ts";
import { parseCommandLine, USAGE } from "../src/process/options.ts";
import { ownDirectory } from "../src/process/own-directory.ts";
import { getUser } from "../src/process/user.ts";

describe("command line", () => {
	it("has defaults for everything", () => {
		expect(parseCommandLine([])).toEqual({
			user: "bulkhead-relay",
			allowRoot: false,
			journalKiB: 2048,
			runDirectory: "/run/bulkhead/relay",
			stateDirectory: "/var/lib/bulkhead-relay",
			qmpAllow: [],
			logLevel: "info",
			help: false,
			version: false,
		});
	});

	it("names every option in its help", () => {
		for (const option of ["user", "allow-root", "run-dir", "state-dir", "qmp-allow", "log-level", "help", "version"])
			expect(USAGE).toContain(`--${option}`);
	});

	for (const argv of [["--bogus"], ["x"], ["--log-level", "loud"], ["--qmp-allow", "a b"], ["--user"]])
		it(`refuses ${argv.join(" ")}`, () => {
			expect(() => parseCommandLine(argv)).toThrow(InvalidInputError);
		});
});

describe("getUser", () => {
	const passwd =
		"root:x:0:0:root:/root:/bin/sh\nbad:x:a:b::/:\nbulkhead-relay:x:990:989::/nonexistent:/usr/sbin/nologin\n";
	it("reads passwd(5)", () => {
		expect(getUser("bulkhead-relay", passwd)).toEqual({ name: "bulkhead-relay", uid: 990, gid: 989 });
		expect(() => getUser("bad", passwd)).toThrow(InvalidInputError);
		expect(() => getUser("bulkhead", passwd)).toThrow(InvalidInputError);
	});
});

class FakeProcess {
	uid = 0;
	gid = 0;
	groups = [0, 4, 27];
	calls: string[] = [];
	stubborn: "uid" | "groups" | "way-back" | undefined;

	readonly identity: Identity = {
		getuid: () => this.uid,
		geteuid: () => this.uid,
		getgid: () => this.gid,
		getgroups: () => this.groups,
		setgroups: (groups) => {
			this.calls.push("setgroups");
			if (this.stubborn !== "groups") this.groups = groups as number[];
		},
		setgid: (gid) => {
			this.calls.push("setgid");
			this.gid = gid as number;
		},
		setuid: (uid) => {
			if (uid === 0 && this.uid !== 0 && this.stubborn !== "way-back") throw new Error("EPERM");
			this.calls.push("setuid");
			if (this.stubborn !== "uid") this.uid = uid as number;
		},
	};
}

describe("dropPrivileges", () => {
	const user = { name: "bulkhead-relay", uid: 990, gid: 989 };

	it("clears groups first and the user last", () => {
		const fake = new FakeProcess();
		dropPrivileges(user, fake.identity);
		expect(fake.calls).toEqual(["setgroups", "setgid", "setuid"]);
		expect([fake.uid, fake.gid, fake.groups]).toEqual([990, 989, []]);
	});

	for (const stubborn of ["uid", "groups", "way-back"] as const)
		it(`refuses to go on when it did not work: ${stubborn}`, () => {
			const fake = new FakeProcess();
			fake.stubborn = stubborn;
			expect(() => dropPrivileges(user, fake.identity)).toThrow(BulkheadError);
		});

	it("does not become root", () => {
		const fake = new FakeProcess();
		expect(() => dropPrivileges({ ...user, uid: 0 }, fake.identity)).toThrow(/root/);
		expect(() => dropPrivileges({ ...user, gid: 0 }, fake.identity)).toThrow(/root/);
		expect(fake.calls).toEqual([]);
	});
});

describe("ownDirectory", () => {
	it("makes a directory for its user and refuses a link", () => {
		const directory = mkdtempSync(join(tmpdir(), "bhr-"));
		onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
		const self = { name: "self", uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
		const path = join(directory, "a", "b");
		ownDirectory(path, self);
		expect(statSync(path).mode & 0o777).toBe(0o750);
		mkdirSync(join(directory, "elsewhere"), { mode: 0o755 });
		symlinkSync(join(directory, "elsewhere"), join(directory, "link"));
		expect(() => ownDirectory(join(directory, "link"), self)).toThrow(/ENOTDIR|ELOOP/);
		expect(statSync(join(directory, "elsewhere")).mode & 0o777).toBe(0o755);
	});
});
