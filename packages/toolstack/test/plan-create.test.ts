import { describe, expect, it } from "vitest";
import { type Plan, stepsOf } from "../src/executor.ts";
import { planCreate } from "../src/plan/create.ts";
import { planDestroy } from "../src/plan/destroy.ts";
import { placementSettings } from "../src/plan/domain-settings.ts";
import type { CreateStep, DestroyStep } from "../src/steps.ts";
import { cdrom, disk, facts, hvmConfig, nic, pvConfig } from "./fixtures.ts";

/** A plan as prose: one line a step, indented by its serial (-) and parallel (=) surroundings. */
function outline(plan: Plan<CreateStep> | Plan<DestroyStep>, prefix = ""): string[] {
	if (plan.kind === "step") {
		const { step } = plan;
		return [`${prefix} ${step.name}${"role" in step ? ` ${step.role}` : ""}`];
	}
	return plan.plans.flatMap((part) => outline(part, prefix + (plan.kind === "serial" ? "-" : "=")));
}

describe("planCreate", () => {
	it("builds an HVM guest and its stub domain side by side, then pairs them", () => {
		expect(outline(planCreate(hvmConfig(), facts, { paused: false }))).toEqual([
			"-= open-disk",
			"-=- create-domain guest",
			"-=- write-skeleton guest",
			"-=- prepare-domain guest",
			"-=- build-image guest",
			"-=- introduce guest",
			"-=- create-domain stub",
			"-=- write-skeleton stub",
			"-=- prepare-domain stub",
			"-=- build-image stub",
			"-=- introduce stub",
			"- pair-domains",
			"- publish-devices",
			"- connect-consoles",
			"- start-stub",
			"-= accept-consoles",
			"-= await-device-model",
			"-= connect-consoles",
			"-= connect-qmp",
			"- start-guest",
		]);
	});

	it("gives the stub domain room for the frame buffer, and both domains the disks that have a medium", () => {
		const config = hvmConfig({ vga: "stdvga", videoMemoryKiB: 16384, disks: [disk(), cdrom({ path: undefined })] });
		const steps = stepsOf(planCreate(config, facts, { paused: false }));
		expect(steps).toContainEqual(
			expect.objectContaining({
				name: "prepare-domain",
				role: "stub",
				settings: expect.objectContaining({ memoryKiB: 208 * 1024 }),
			}),
		);
		expect(steps).toContainEqual(
			expect.objectContaining({ name: "publish-devices", roles: ["guest", "stub"], disks: [disk()] }),
		);
	});

	it("needs no stub domain for a PV guest", () => {
		const lines = outline(planCreate(pvConfig({ disks: [] }), { ...facts, disks: [] }, { paused: false }));
		expect(lines.join("\n")).not.toContain("stub");
		expect(lines.at(-1)).toBe("- start-guest");
	});

	it("sets nics up before the stub domain runs, whose kernel waits for them", () => {
		const lines = outline(planCreate(hvmConfig(), { ...facts, nics: [nic()] }, { paused: false }));
		expect(lines.slice(12, 16)).toEqual([
			"- publish-devices",
			"-= connect-consoles",
			"-= connect-nics",
			"- start-stub",
		]);
	});

	it("builds a PVH guest like a PV one, with ACPI tables unless they are unwanted", () => {
		const config = pvConfig({ type: "pvh", disks: [], maxVcpus: 2, maxMemoryKiB: 256 * 1024 });
		expect(outline(planCreate(config, { ...facts, disks: [] }, { paused: false }))).toEqual(
			outline(planCreate(pvConfig({ disks: [] }), { ...facts, disks: [] }, { paused: false })),
		);
		expect(stepsOf(planCreate(config, { ...facts, disks: [] }, { paused: false }))).toContainEqual({
			name: "build-image",
			role: "guest",
			maxVcpus: 2,
			image: {
				type: "pvh",
				memoryKiB: 192 * 1024,
				maxMemoryKiB: 256 * 1024,
				kernel: "/boot/vmlinux",
				ramdisk: "/boot/initramfs",
				commandLine: "console=hvc0",
				acpi: true,
			},
		});
	});

	it("places vcpus before memory is taken, and gives hardware after the image", () => {
		const config = pvConfig({ disks: [], cpus: ["0"], irqs: [9] });
		const placement = placementSettings(config, []);
		expect(placement).toBeDefined();
		expect(outline(planCreate(config, { ...facts, disks: [], placement }, { paused: true })).slice(2, 7)).toEqual([
			"-=- prepare-domain guest",
			"-=- place-domain guest",
			"-=- build-image guest",
			"-=- introduce guest",
			"-=- permit-hardware guest",
		]);
	});

	it("starts QEMU in domain 0 for a guest that has its device model there, and no stub domain", () => {
		const deviceModel = { place: "dom0" as const, restrict: false, args: [], argsHvm: [], argsPv: [] };
		const config = hvmConfig({ deviceModel, stub: undefined });
		expect(outline(planCreate(config, { ...facts, stub: undefined, qemu: "/qemu" }, { paused: false }))).toEqual([
			"-= open-disk",
			"-=- create-domain guest",
			"-=- write-skeleton guest",
			"-=- prepare-domain guest",
			"-=- build-image guest",
			"-=- introduce guest",
			"- announce-qemu",
			"- publish-devices",
			"-= connect-consoles",
			"-=- start-qemu",
			"-=- await-qemu",
			"-=- connect-qmp-socket",
			"-=- configure-qemu",
			"- start-guest",
		]);
	});

	it("sets up the taps that a QEMU in domain 0 makes for emulated cards, once it runs", () => {
		const deviceModel = { place: "dom0" as const, restrict: false, args: [], argsHvm: [], argsPv: [] };
		const config = hvmConfig({ deviceModel, stub: undefined });
		const linesWith = (type: "ioemu" | "vif"): string[] =>
			outline(
				planCreate(config, { ...facts, stub: undefined, qemu: "/qemu", nics: [nic({ type })] }, { paused: false }),
			);
		const lines = linesWith("ioemu");
		expect(lines.slice(lines.indexOf("-=- await-qemu")).slice(0, 2)).toEqual(["-=- await-qemu", "-=- connect-taps"]);
		expect(lines.filter((line) => line.includes("connect-taps"))).toHaveLength(1);
		expect(linesWith("vif")).not.toContain("-=- connect-taps");
	});

	it("gives the files of a direct kernel boot to the stub domain alone", () => {
		const config = hvmConfig({ kernel: "/k", ramdisk: "/r" });
		const steps = stepsOf(planCreate(config, facts, { paused: false }));
		expect(steps.filter(({ name }) => name === "open-boot-file")).toHaveLength(2);
		expect(steps).toContainEqual(
			expect.objectContaining({ name: "publish-devices", disks: [disk()], bootDisks: ["xvdy", "xvdz"] }),
		);
	});

	it("asks no MiniOS stub domain for QMP, and names its device model as libxl does", () => {
		const deviceModel = { place: "minios" as const, restrict: false, args: [], argsHvm: [], argsPv: [] };
		const steps = stepsOf(planCreate(hvmConfig({ deviceModel }), facts, { paused: false }));
		expect(steps.some(({ name }) => name === "connect-qmp")).toBe(false);
		expect(steps).toContainEqual(expect.objectContaining({ name: "pair-domains", protocol: "minios" }));
		expect(steps).toContainEqual(
			expect.objectContaining({ name: "write-skeleton", dmVersion: "qemu_xen_traditional" }),
		);
	});

	it("leaves a guest that is wanted paused as it was built", () => {
		expect(outline(planCreate(hvmConfig(), facts, { paused: true })).at(-1)).toBe("-= connect-qmp");
	});
});

describe("planDestroy", () => {
	it("ends a QEMU in domain 0 before its guest is destroyed", () => {
		const lines = outline(planDestroy({ guest: { uuid: hvmConfig().uuid }, qemu: {} }, { purge: true }));
		expect(lines.slice(0, 3)).toEqual(["- forget-relay", "- stop-qemu", "- destroy-domain guest"]);
	});

	it("lets go of the rings first, then destroys the stub domain before its guest", () => {
		const runtime = { guest: { uuid: hvmConfig().uuid }, stub: { uuid: facts.stubUuid } };
		expect(outline(planDestroy(runtime, { purge: true }))).toEqual([
			"- forget-relay",
			"- destroy-domain stub",
			"- destroy-domain guest",
			"-= remove-devices stub",
			"-= remove-devices guest",
			"-= remove-nodes stub",
			"-= remove-nodes guest",
			"-= await-gone stub",
			"-= await-gone guest",
			"- release-disks",
		]);
	});

	it("runs the scripts of nics while their nodes are there", () => {
		const runtime = { guest: { uuid: hvmConfig().uuid } };
		const withScript = planDestroy(runtime, { purge: true, nics: [nic(), nic({ script: "vif-route" })] });
		expect(outline(withScript).slice(1, 5)).toEqual([
			"- destroy-domain guest",
			"-= remove-devices guest",
			"-= disconnect-nics guest",
			"-= remove-nodes guest",
		]);
		expect(outline(planDestroy(runtime, { purge: true, nics: [nic()] })).join()).not.toContain("disconnect");
	});
});
