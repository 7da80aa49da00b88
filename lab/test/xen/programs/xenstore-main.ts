/**
 * Runs in dom0: `xenstore-main xenstored|oxenstored DOMID CONSOLE-SOCKET [ONLY]` against the host's xenstored, which is the
 * one named, with a guest that runs xenstore-guest-main, and only rows with a text in their name if one follows;
 * `xenstore-main oxenstored` against an oxenstored of its own.
 */

import { Oxenstored } from "../../../src/oxenstored.ts";
import { startGuestProgram } from "./guest-world.ts";
import { type Row, runRows } from "./rows.ts";
import { xenstoreHistories } from "./xenstore-histories.ts";
import { xenstoreRows } from "./xenstore-rows.ts";
import { guestDomid, hostContract, oxenstoredContract } from "./xenstore-servers.ts";

const [server = "", domid = "", consoleSocket = "", only = ""] = process.argv.slice(2);
const chosen = (rows: readonly Row[]): Row[] => rows.filter(({ name }) => name.includes(only));

if (domid === "") {
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
		if (server === "oxenstored") await runRows(chosen(hostContract("oxenstored", guest)));
		else await runRows(chosen([...xenstoreRows(), ...xenstoreHistories(), ...hostContract("xenstored", guest)]));
	} finally {
		device.destroy();
	}
	if (failures > 0) process.exitCode = 1;
}
