import { basename } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { findProgram } from "../screen/find-program.ts";
import { openSingleForward } from "../screen/single-forward.ts";

/** Viewers as Debian calls them, the better ones first. */
const VIEWERS = ["xtigervncviewer", "vncviewer", "xtightvncviewer", "gvncviewer", "remote-viewer", "vinagre"];
const FIRST_PORT = 5900;

/** Runs a VNC viewer on a guest's screen until it ends; answers its exit code. */
export async function vncviewer(
	context: CommandContext,
	ref: string,
	{ viewer }: { viewer?: string },
): Promise<number> {
	const { socketPath } = await context.client.screen(ref);
	const program = await findProgram(viewer === undefined ? VIEWERS : [viewer], context.io);
	if (program === undefined) throw noViewer(viewer);
	const forward = await openSingleForward(socketPath);
	try {
		const code = await context.io.runProgram(program, [addressFor(program, forward.port)]);
		await forward.ended();
		return code;
	} finally {
		await forward.close();
	}
}

/** Each has its own way to be told a port that is no display's. */
function addressFor(program: string, port: number): string {
	switch (basename(program)) {
		case "gvncviewer":
		case "gvnccapture":
			return `127.0.0.1:${port - FIRST_PORT}`;
		case "remote-viewer":
		case "vinagre":
			return `vnc://127.0.0.1:${port}`;
		default:
			return `127.0.0.1::${port}`;
	}
}

function noViewer(viewer: string | undefined): BulkheadError {
	return new BulkheadError(
		"no-viewer",
		viewer === undefined ? "There is no VNC viewer in PATH" : `There is no program ${JSON.stringify(viewer)}`,
		{ remedy: "Install one: apt-get install tigervnc-viewer; or look with a browser: bulkhead screen" },
	);
}
