import { withDeadline } from "@bulkhead/base";
import type { Lab } from "../lab.ts";
import { ask, awaitMarker, BOOT_TIMEOUT_MS, createExample, describeExample } from "./example-guest.ts";

export interface StayOptions {
	say: (line: string) => void;
	signal: AbortSignal;
}

const CREATE_TIMEOUT_MS = 300_000;

/** Creates the example guest, says where everything is, and stays until the signal aborts. */
export async function stay(lab: Lab, { say, signal }: StayOptions): Promise<void> {
	const created = await withDeadline(createExample(lab, say), {
		timeoutMs: CREATE_TIMEOUT_MS,
		signal,
		what: "the guest",
	});
	say("Waiting until the guest has booted (its shell is on its serial port)");
	const booted = awaitMarker(lab, created);
	const { serial } = await withDeadline(booted, { timeoutMs: BOOT_TIMEOUT_MS, signal, what: "the guest's shell" });
	serial.close();
	const guest = await describeExample(lab);
	const qmp = await ask<{ return: { status: string } }>(lab, "qmp", guest.name, "query-status");
	const { xen, kernel, qemu } = lab.describe();
	const rows: [string, string][] = [
		["host", `Xen ${xen}, Linux ${kernel}, QEMU ${qemu}`],
		["guest", `${guest.name}, domain ${guest.domid}, ${mebibytes(guest.memoryKiB)}, ${guest.uuid}`],
		["stub domain", `${guest.name}-dm, domain ${guest.stub.domid}, ${mebibytes(guest.stub.memoryKiB)}`],
		["QEMU over vchan", qmp.return.status],
		["its console", `npm run lab -- exec -t -- bulkhead console ${guest.name}      (leave with Ctrl-])`],
		["QEMU's side", `npm run lab -- exec -- bulkhead qmp ${guest.name} query-block`],
		["all guests", "npm run lab -- exec -- bulkhead list"],
		["dom0 itself", "npm run lab -- shell"],
	];
	for (const [name, value] of rows) process.stdout.write(`  ${name.padEnd(16)} ${value}\n`);
	process.stdout.write("\nCtrl-C destroys the guest and shuts the lab down.\n");
	await untilAborted(signal);
	say("Destroying the guest");
	await ask(lab, "destroy", guest.name);
}

const mebibytes = (kiB: number): string => `${Math.round(kiB / 1024)} MiB`;

function untilAborted(signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		// A timer keeps the process alive while nothing else happens.
		const alive = setInterval(() => {}, 60_000);
		const end = (): void => {
			clearInterval(alive);
			resolve();
		};
		if (signal.aborted) end();
		else signal.addEventListener("abort", end, { once: true });
	});
}
