import { access, constants } from "node:fs/promises";
import { serializeError } from "@bulkhead/base";
import type { OtherConsoles } from "../consoles/other-consoles.ts";
import type { Services } from "../services.ts";

export interface Check {
	name: string;
	ok: boolean;
	detail: string;
	remedy?: string;
}

/** What must be right on a host for Bulkhead to work, each with its cure. */
export async function examine(services: Services, others?: OtherConsoles): Promise<Check[]> {
	const { hypervisor, xenstore, relay, installed } = services;
	const file = (name: string, path: string, remedy: string): Promise<Check> =>
		check(name, remedy, async () => {
			await access(path, constants.R_OK);
			return path;
		});
	const stubRemedy =
		"Install the stub domain's image, or set stubdomain_kernel and stubdomain_ramdisk in the guest's config";
	return Promise.all([
		check("hypervisor", "Boot this machine under Xen and run bulkheadd as root in domain 0", async () => {
			const { xenVersion, freeKiB } = await hypervisor.domains.hostInfo();
			return `Xen ${xenVersion}, ${Math.floor(freeKiB / 1024)} MiB free`;
		}),
		check("hardware virtualization", "Enable AMD-V or VT-x with nested paging in the firmware", async () => {
			const { hvm, hap } = await hypervisor.domains.hostInfo();
			if (!hvm) throw new Error("Xen offers no HVM guests");
			return hap ? "HVM with hardware-assisted paging" : "HVM with shadow paging";
		}),
		check("xenstore", "Start xenstored", async () => `domain 0 is ${await xenstore.readText("/local/domain/0/name")}`),
		check("relay", "Start bulkhead-relay, or look into its log", async () => {
			if (!relay.connected) throw new Error("not connected");
			const { version, pid } = await relay.hello();
			return `version ${version}, pid ${pid}`;
		}),
		file("firmware", installed.firmware, "Install xen-utils, or set firmware_override"),
		file("BIOS", installed.bios, "Install seabios, or set bios_path_override"),
		file("stub domain kernel", installed.stubKernel, stubRemedy),
		file("stub domain ramdisk", installed.stubRamdisk, stubRemedy),
		checkImages(services),
		file("loop devices", "/dev/loop-control", "Load the module loop"),
		...(others ? [checkOthers(others)] : []),
	]);
}

function checkOthers(others: OtherConsoles): Promise<Check> {
	const remedy = "Stop xenconsoled: a console has one server. bulkheadd takes over when it is restarted";
	return check("consoles of other toolstacks", remedy, async () => {
		const consoles = await others.describe();
		const failed = consoles.find(({ problem }) => problem !== undefined);
		if (failed) throw new Error(`domain ${failed.domid}: ${failed.problem}`);
		return `${consoles.length} served`;
	});
}

async function checkImages({ hypervisor }: Services): Promise<Check> {
	const name = "disk images";
	const problem = await hypervisor.images.problem();
	return problem
		? { name, ok: false, detail: `only raw ones can be used: ${problem.why}`, remedy: problem.remedy }
		: { name, ok: true, detail: "raw, qcow2, qcow, vhd and qed" };
}

async function check(name: string, remedy: string, probe: () => Promise<string>): Promise<Check> {
	try {
		return { name, ok: true, detail: await probe() };
	} catch (error) {
		return { name, ok: false, detail: serializeError(error).message, remedy };
	}
}
