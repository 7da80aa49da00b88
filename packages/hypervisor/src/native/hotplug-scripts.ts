import { access, constants, stat } from "node:fs/promises";
import { errnoOf } from "@bulkhead/base";
import type { HotplugCall, HotplugOutcome, HotplugScripts } from "../ports/hotplug-scripts.ts";
import { runProgram } from "./run-program.ts";

/** Scripts as child processes of this one, each a process group of its own. */
export class NativeHotplugScripts implements HotplugScripts {
	async problem(path: string): Promise<string | undefined> {
		try {
			if (!(await stat(path)).isFile()) return "is not a regular file";
			await access(path, constants.X_OK);
			return undefined;
		} catch (error) {
			const errno = errnoOf(error);
			return errno === "ENOENT" ? "does not exist" : errno === "EACCES" ? "may not be run" : `cannot be run (${errno})`;
		}
	}

	run(call: HotplugCall): Promise<HotplugOutcome> {
		return runProgram({ ...call, title: `The script ${call.path}` });
	}
}
