import { expect, it } from "vitest";
import { labPaths } from "../../src/lab-paths.ts";
import { type MachineOptions, machineArgs } from "../../src/machine-args.ts";

const OPTIONS = {
	accel: "tcg",
	sshPort: 2222,
	memoryMiB: 6656,
	dom0MemoryMiB: 3072,
	cpus: 2,
	xenstored: "xenstored",
} as const;

it("machineArgs names files relative to the lab's folder, as the multiboot loader splits at blanks and commas", () => {
	const args = machineArgs(OPTIONS, labPaths({ XDG_STATE_HOME: "/home/some, one" }));
	expect(args.join("\n")).not.toContain("some, one");
	expect(args[args.indexOf("-initrd") + 1]).toMatch(/^vmlinux [^,]*,initrd\.cpio$/);
});

it("machineArgs forwards only a port of the loopback interface", () => {
	const args = machineArgs(OPTIONS, labPaths({ XDG_STATE_HOME: "/s" }));
	expect(args[args.indexOf("-netdev") + 1]).toBe("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:2222-10.0.2.15:22");
});

it("machineArgs keeps HVM guests off QEMU's first processor, unless it is a real one", () => {
	const hvmGuestCpus = (options: Partial<MachineOptions>): string | undefined => {
		const args = machineArgs({ ...OPTIONS, ...options }, labPaths({ XDG_STATE_HOME: "/s" }));
		return /hvm_guest_cpus=(\S+)/.exec(args.join(" "))?.[1];
	};
	expect(hvmGuestCpus({})).toBe("1");
	expect(hvmGuestCpus({ cpus: 4 })).toBe("1-3");
	expect(hvmGuestCpus({ cpus: 1 })).toBeUndefined();
	expect(hvmGuestCpus({ accel: "kvm" })).toBeUndefined();
});

it("machineArgs uses the one processor model that a PV dom0 boots on under TCG", () => {
	const cpu = (accel: "tcg" | "kvm"): string | undefined => {
		const args = machineArgs({ ...OPTIONS, accel }, labPaths({ XDG_STATE_HOME: "/s" }));
		return args[args.indexOf("-cpu") + 1];
	};
	expect(cpu("tcg")).toBe("qemu64,+svm,+npt,+invtsc");
	expect(cpu("kvm")).toBe("host");
});
