import { evtchnPort } from "@bulkhead/base";
import type { SimMachine } from "@bulkhead/hypervisor/sim";
import { GuestConsole } from "./guest-console.ts";

/** Console 0: its ring and its port are there from the start. */
export function openBootConsole(machine: SimMachine, onInput: (bytes: Buffer) => void): GuestConsole {
	const port = evtchnPort(machine.image.consolePort);
	const console = new GuestConsole({ page: machine.consolePage, notify: () => machine.notify(port), onInput });
	machine.listen(port, () => console.handleEvent());
	return console;
}
