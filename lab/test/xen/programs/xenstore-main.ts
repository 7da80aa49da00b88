/**
 * Runs in dom0: `xenstore-main xenstored DOMID CONSOLE-SOCKET [ONLY]` against the host's xenstored, with a guest that runs
 * xenstore-guest-main, and only rows with a text in their name if one follows; `xenstore-main oxenstored` against an oxenstored of its own.
 */

import { Oxenstored } from "../../../src/oxenstored.ts";
import { startGuestProgram } from "./guest-world.ts";
import { type Row, runRows } from "./rows.ts";
import { xenstoreHistories } from "./xenstore-histories.ts";
import { xenstoreRows } from "./xenstore-rows.ts";
import { guestDomid, oxenstoredContract, xenstoredContract } from "./xenstore-servers.ts";

const [server, domid = "", consoleSocket = "", only = ""] = process.argv.slice(2);
const chosen = (rows: readonly Row[]): Row[] => rows.filter(({ name }) => name.includes(only));

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
		const guest = { domid: guestDomid(domid), device };
		await runRows(chosen([...xenstoreRows(), ...xenstoreHistories()]));
		await runRows(chosen(xenstoredContract(guest)));
	} finally {
		device.destroy();
	}
	if (failures > 0) process.exitCode = 1;
}
