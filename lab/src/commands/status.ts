import { Lab } from "../lab.ts";

export async function printStatus(json: boolean): Promise<void> {
	const status = await Lab.status();
	if (json) {
		process.stdout.write(`${JSON.stringify(status)}\n`);
		return;
	}
	if (!status.running || !status.description) {
		process.stdout.write("The lab is down\n");
		return;
	}
	const { release, xen, xenstored, kernel, qemu, emulator, accel, node } = status.description;
	process.stdout.write(
		[
			status.ready ? `The lab is up since ${status.startedAt}` : "The lab is booting",
			`  host      Debian ${release}, Xen ${xen}, ${xenstored}, Linux ${kernel}`,
			`  in dom0   QEMU ${qemu}, Node ${node}`,
			`  machine   QEMU ${emulator} (${accel})`,
			"",
		].join("\n"),
	);
}
