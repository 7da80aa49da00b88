import type { SimMachine, SimProgram } from "@bulkhead/hypervisor/sim";
import { ChannelFront } from "../devices/channel-front.ts";
import type { DomainConnections } from "../domain-connections.ts";
import type { EmulatedMachines } from "../stub/emulated-machines.ts";
import { GuestShell } from "./guest-shell.ts";

/**
 * An HVM guest without PV drivers but that of channels: firmware, then a shell on its first serial port when there is a disk
 * to boot from.
 */
export function hvmGuest(machines: EmulatedMachines, connections: DomainConnections): SimProgram {
	return {
		name: "hvm guest",
		async run(machine: SimMachine) {
			const { domid } = machine;
			const write = (text: string): void => machines.findMachine(domid)?.writeSerial(0, text);
			const end = (reason: "poweroff" | "reboot"): void => {
				// Power is the business of QEMU's ACPI: without one the guest hangs in the attempt.
				const qemu = machines.findMachine(domid);
				if (!qemu) return;
				qemu.reportShutdown();
				machine.shutdown(reason);
			};
			const shell = new GuestShell(`guest-${domid}`, {
				write,
				poweroff: () => end("poweroff"),
				reboot: () => end("reboot"),
				crash: () => machine.shutdown("crash"),
			});
			const guest = {
				serialInput: (index: number, bytes: Uint8Array): void => {
					if (index === 0)
						void machine.untilRunnable().then(
							() => shell.type(bytes),
							() => {},
						);
				},
				powerButton: (): void => {
					void machine.untilRunnable().then(
						() => end("poweroff"),
						() => {},
					);
				},
			};
			const qemu = await machines.attach(domid, guest, machine.signal);
			if (!qemu) return;
			write(`Firmware (simulated) in domain ${domid}, ${machine.image.memoryKiB / 1024} MiB\r\n`);
			if (qemu.disks === 0) {
				write("No bootable device.\r\n");
				return;
			}
			shell.start();
			await new ChannelFront(machine, connections.open(machine)).follow().catch((error: unknown) => {
				if (!machine.signal.aborted) machine.log(`channels: ${String(error)}`);
			});
		},
	};
}
