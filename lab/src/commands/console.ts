import { connect } from "node:net";
import { BulkheadError } from "@bulkhead/base";
import { labPaths } from "../lab-paths.ts";
import { findLiveState } from "../lab-state.ts";

/** Ctrl-], as telnet and xl have it. */
const ESCAPE = 0x1d;

/** Connects the terminal to dom0's serial port, also while it boots. */
export async function attachConsole(): Promise<void> {
	const paths = labPaths();
	if (!(await findLiveState(paths))) {
		throw new BulkheadError("lab-down", "No lab is running", { remedy: "Start it with `npm run lab -- up`" });
	}
	const { stdin, stdout } = process;
	const socket = connect(paths.serialSocket);
	process.stderr.write("lab: dom0's console; Ctrl-] leaves\n");
	if (stdin.isTTY) stdin.setRawMode(true);
	try {
		await new Promise<void>((resolve, reject) => {
			socket.once("error", reject).once("close", () => resolve());
			socket.pipe(stdout, { end: false });
			stdin.on("data", (chunk: Buffer) => {
				if (chunk.includes(ESCAPE)) socket.destroy();
				else socket.write(chunk);
			});
			stdin.once("end", () => socket.end());
		});
	} finally {
		if (stdin.isTTY) stdin.setRawMode(false);
		stdin.destroy();
	}
}
