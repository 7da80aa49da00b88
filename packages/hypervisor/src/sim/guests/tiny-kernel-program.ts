import { evtchnPort } from "@bulkhead/base";
import { TINY_REPORT, tinyPvKernelBehaviour } from "../../contract/tiny-pv-kernel.ts";
import { isTinyPvhKernel, TINY_PVH_REPORT } from "../../contract/tiny-pvh-kernel.ts";
import type { SimMachine } from "./sim-machine.ts";
import type { SimProgram, SimProgramTable } from "./sim-program.ts";

/** Does what the code of the contract's tiny kernels does, when the image has exactly that code. */
export const tinyKernelProgram: SimProgramTable = (image) => {
	if (image.type === "pvh") return isTinyPvhKernel(image.code) ? PVH_REPORT : undefined;
	const behaviour = image.type === "pv" ? tinyPvKernelBehaviour(image.code) : undefined;
	return behaviour && { report: REPORT, idle: IDLE, flood: FLOOD }[behaviour];
};

const IDLE: SimProgram = { name: "tiny kernel: idle", run: () => {} };

const FLOOD: SimProgram = {
	name: "tiny kernel: flood",
	async run(machine) {
		while (!machine.signal.aborted) {
			machine.notify(evtchnPort(machine.image.consolePort));
			await new Promise((resolve) => setImmediate(resolve));
		}
	},
};

const REPORT: SimProgram = {
	name: "tiny kernel: report",
	run(machine) {
		report(machine);
		machine.notify(evtchnPort(machine.image.consolePort));
		machine.shutdown("poweroff");
	},
};

function report({ image, consolePage }: SimMachine): void {
	if (image.type !== "pv") return;
	const page = Buffer.from(consolePage.bytes.buffer, consolePage.bytes.byteOffset, consolePage.bytes.length);
	const at = TINY_REPORT.ringOffset;
	page.write(TINY_REPORT.greeting.text, at + TINY_REPORT.greeting.offset, "latin1");
	page.write(image.commandLine.padEnd(8, "\0").slice(0, 8), at + TINY_REPORT.commandLine, "latin1");
	page.writeBigUInt64LE(BigInt(image.ramdisk?.bytes ?? 0), at + TINY_REPORT.ramdiskLength);
	if (image.ramdisk) page.set(image.ramdisk.head.subarray(0, 8), at + TINY_REPORT.ramdiskStart);
	page.writeUInt32LE(TINY_REPORT.length, TINY_REPORT.producerOffset);
}

const PVH_REPORT: SimProgram = {
	name: "tiny PVH kernel: report",
	run(machine) {
		reportPvh(machine);
		machine.shutdown("poweroff");
	},
};

function reportPvh({ image, consolePage }: SimMachine): void {
	if (image.type !== "pvh") return;
	const page = Buffer.from(consolePage.bytes.buffer, consolePage.bytes.byteOffset, consolePage.bytes.length);
	const at = TINY_PVH_REPORT.ringOffset;
	page.write(TINY_PVH_REPORT.greeting.text, at + TINY_PVH_REPORT.greeting.offset, "latin1");
	page.write(image.commandLine.padEnd(8, "\0").slice(0, 8), at + TINY_PVH_REPORT.commandLine, "latin1");
	const [rsdp] = image.acpi;
	if (rsdp) page.set(rsdp.bytes.subarray(0, 8), at + TINY_PVH_REPORT.rsdp);
	page.writeUInt32LE(rsdp?.address ?? 0, at + TINY_PVH_REPORT.rsdpAddress);
	page.writeUInt32LE(image.ramdisk ? 1 : 0, at + TINY_PVH_REPORT.modules);
	page.writeUInt32LE(TINY_PVH_REPORT.length, TINY_PVH_REPORT.producerOffset);
}
