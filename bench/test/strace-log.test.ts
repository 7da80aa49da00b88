import { describe, expect, it } from "vitest";
import { readStraceLog } from "../src/create/strace-log.ts";

describe("readStraceLog", () => {
	it("counts forks, threads and programs that really started", () => {
		const log = [
			'100   execve("/usr/sbin/xl", ["xl", "create"], 0x7ffe /* 10 vars */) = 0',
			"100   clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 101",
			'101   execve("/missing", ["x"], 0x7ffe /* 10 vars */) = -1 ENOENT (No such file or directory)',
			'101   execve("/etc/xen/scripts/block", ["block", "add"], 0x55 /* 12 vars */ <unfinished ...>',
			"101   <... execve resumed>)              = 0",
			"101   vfork( <unfinished ...>",
			"101   <... vfork resumed>)               = 102",
			"103   clone3({flags=CLONE_VM|CLONE_FS|CLONE_THREAD|CLONE_SYSVSEM, exit_signal=0}, 88) = 104",
		].join("\n");
		expect(readStraceLog(log)).toEqual({
			forks: 2,
			threads: 1,
			programs: ["/usr/sbin/xl", "/etc/xen/scripts/block"],
		});
	});
});
