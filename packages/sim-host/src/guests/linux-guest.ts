import type { SimMachine, SimProgram } from "@bulkhead/hypervisor/sim";
import { BlockFront, type Manners } from "../devices/block-front.ts";
import { openBootConsole } from "../devices/boot-console.ts";
import { ChannelFront } from "../devices/channel-front.ts";
import { isDriverDomain, serveDevices } from "../devices/driver-domain.ts";
import { connectNics, followNics } from "../devices/network-front.ts";
import type { DomainConnections } from "../domain-connections.ts";
import { GuestShell } from "./guest-shell.ts";
import { serveShutdownRequests } from "./shutdown-requests.ts";

/** A PV guest: disks, a shell on its console, and an ear for the toolstack's requests. */
export function linuxGuest(connections: DomainConnections, manners: () => Manners): SimProgram {
	return {
		name: "linux guest",
		async run(machine: SimMachine) {
			const store = connections.open(machine);
			const shell = new GuestShell(`domain-${machine.domid}`, {
				write: (text) => console.write(text),
				pour: (source) => console.pour(source),
				poweroff: () => machine.shutdown("poweroff"),
				reboot: () => machine.shutdown("reboot"),
				crash: () => machine.shutdown("crash"),
			});
			const console = openBootConsole(machine, (bytes) => shell.type(bytes));
			console.write(`Linux (simulated) in domain ${machine.domid}, ${machine.image.memoryKiB / 1024} MiB\r\n`);
			const disks = await new BlockFront({
				machine,
				store,
				manners: manners(),
				onDisk: (device) => console.write(`disk: ${device}\r\n`),
			}).start();
			if (disks.length > 0) console.write(`disks: ${disks.join(" ")}\r\n`);
			const nics = await connectNics(machine, store);
			if (nics.length > 0) console.write(`nics: ${nics.join(" ")}\r\n`);
			void followNics(machine, store, nics).catch((error: unknown) => {
				if (!machine.signal.aborted) machine.log(`nics: ${String(error)}`);
			});
			if (isDriverDomain(machine)) void serveDevices({ machine, store, isDeaf: manners() !== "polite" });
			void new ChannelFront(machine, store).follow().catch((error: unknown) => {
				if (!machine.signal.aborted) machine.log(`channels: ${String(error)}`);
			});
			shell.start();
			await serveShutdownRequests(machine, store);
		},
	};
}
