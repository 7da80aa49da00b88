import { domId } from "@bulkhead/base";
import { describe, expect, it } from "vitest";
import { parseAccounts } from "../src/device-model/dom0/accounts.ts";
import { confined } from "../src/device-model/dom0/confinement.ts";
import { chooseQemuUser } from "../src/device-model/dom0/qemu-user.ts";
import { runsAs } from "../src/device-model/dom0/reap-user.ts";
import { qemuArgs } from "../src/device-model/qemu-args.ts";
import { hvmConfig } from "./fixtures.ts";

const GUEST = domId(5);
const PASSWD = "root:x:0:0:root:/root:/bin/sh\nqemu:x:64055:64055::/:/bin/false\n";
const RANGE = "xen-qemuuser-range-base:x:131072:131073::/:/bin/false\n";
const SHARED = "xen-qemuuser-shared:x:700:701::/:/bin/false\n";
const choose = (asked: { user?: string; restrict: boolean }, passwd: string): unknown =>
	chooseQemuUser(asked, GUEST, parseAccounts(passwd));

describe("the user of a QEMU in domain 0", () => {
	it("is the one that the config names, or of the guest's own, or one for all; root only when nothing is asked", () => {
		expect(choose({ restrict: false }, PASSWD + RANGE)).toBeUndefined();
		const named = { runAs: "qemu", uid: 64055, isGuestsOwn: false };
		for (const restrict of [true, false]) expect(choose({ user: "qemu", restrict }, PASSWD + RANGE)).toEqual(named);
		expect(choose({ restrict: true }, PASSWD + RANGE + SHARED)).toEqual({
			runAs: "131077:131073",
			uid: 131_077,
			isGuestsOwn: true,
		});
		expect(choose({ restrict: true }, PASSWD + SHARED)).toEqual({
			runAs: "xen-qemuuser-shared",
			uid: 700,
			isGuestsOwn: false,
		});
	});

	it("is refused when there is none, when it is root, and when somebody else has the uid", () => {
		const refused: [asked: { user?: string; restrict: boolean }, passwd: string, message: RegExp][] = [
			[{ restrict: true }, PASSWD, /neither xen-qemuuser-range-base nor xen-qemuuser-shared/],
			[{ user: "nobody-here", restrict: false }, PASSWD, /no user "nobody-here"/],
			[{ user: "root", restrict: true }, PASSWD, /is root/],
			[{ restrict: true }, `${PASSWD}${RANGE}eve:x:131077:1::/:/bin/sh\n`, /uid 131077 .* is user eve's/],
		];
		for (const [asked, passwd, message] of refused) {
			expect(() => choose(asked, passwd)).toThrow(message);
			expect(() => choose(asked, passwd)).toThrow(expect.objectContaining({ code: "device-model-user" }));
		}
	});

	it("has processes by any of its uids, and zombies are none", () => {
		const status = (state: string, uids: string): string =>
			`Name:\tqemu\nState:\t${state}\nUid:\t${uids}\nGid:\t1\t1\t1\t1\n`;
		expect(runsAs(status("S (sleeping)", "0\t0\t131077\t0"), 131_077)).toBe(true);
		expect(runsAs(status("R (running)", "131077\t131077\t131077\t131077"), 13_107)).toBe(false);
		expect(runsAs(status("Z (zombie)", "131077\t131077\t131077\t131077"), 131_077)).toBe(false);
		expect(runsAs("", 0)).toBe(false);
	});
});

describe("a restricted QEMU", () => {
	it("waits for QMP, restricts itself to its guest, and changes its root and user, in libxl's order", () => {
		const args = qemuArgs(hvmConfig(), {
			kind: "dom0",
			guest: GUEST,
			qmpSocket: "/run/q/qmp",
			statisticsSocket: "/run/s",
			user: "131077:131073",
			chroot: "/run/q/root",
			restricted: true,
		}).join(" ");
		expect(args).toContain("-mon chardev=libxl-cmd,mode=control -S -chardev socket,id=libxenstat-cmd");
		expect(args).toContain("-net none -xen-domid-restrict -chroot /run/q/root -machine xenfv");
		expect(args.endsWith(" -runas 131077:131073")).toBe(true);
	});

	it("is executed with limits, mounts of its own and no way to more privileges", () => {
		const { binary, args } = confined({ binary: "/usr/qemu", args: ["-x"] });
		expect([binary, ...args].join(" ")).toBe(
			"unshare --mount --propagation slave --ipc -- prlimit --fsize=262144 --core=0 --msgqueue=0 --locks=0 " +
				"--memlock=0 --nproc=256 -- setpriv --no-new-privs -- /usr/qemu -x",
		);
	});
});
