/**
 * Runs in dom0: `xenstore-main xenstored DOMID CONSOLE-SOCKET` against the host's xenstored, with a guest that runs
 * xenstore-guest-main; `xenstore-main oxenstored` against an oxenstored of its own.
 */

import { Oxenstored } from "../../../src/oxenstored.ts";
import { startGuestProgram } from "./guest-world.ts";
import { runRows } from "./rows.ts";
import { xenstoreRows } from "./xenstore-rows.ts";
import { guestDomid, oxenstoredContract, xenstoredContract } from "./xenstore-servers.ts";

const [server, domid = "", consoleSocket = ""] = process.argv.slice(2);

if (server === "oxenstored") {
	const oxenstored = await Oxenstored.start();
	try {
		await runRows(oxenstoredContract(() => oxenstored));
	} finally {
		await oxenstored.close();
	}
} else {
	const { device, failures } = await startGuestProgram(consoleSocket);
	try {
		await runRows([...xenstoreRows(), ...xenstoredContract({ domid: guestDomid(domid), device })]);
	} finally {
		device.destroy();
	}
	if (failures > 0) process.exitCode = 1;
}
