import { DeadlineError } from "@bulkhead/base";
import type { HotplugCall, HotplugOutcome, HotplugScripts } from "../../ports/hotplug-scripts.ts";
import type { ProcessParts } from "../sim-process.ts";

/** What a script does on the simulated host; undefined: it hangs until its deadline. */
export type SimScript = (call: HotplugCall) => HotplugOutcome | undefined | Promise<HotplugOutcome | undefined>;

/** Scripts of the simulated host, by path: nothing of this machine is ever run. */
export class SimHotplugScripts implements HotplugScripts {
	readonly #parts: ProcessParts;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	async problem(path: string): Promise<string | undefined> {
		return this.#parts.host.scripts.has(path) ? undefined : "does not exist on the simulated host";
	}

	run(call: HotplugCall): Promise<HotplugOutcome> {
		const { path, timeoutMs } = call;
		const attempt = `The script ${path} could not be started`;
		return this.#parts.calls.run({ name: "scripts.run", attempt, fields: { path } }, async () => {
			const outcome = await this.#parts.host.scripts.get(path)?.(call);
			if (outcome) return outcome;
			throw new DeadlineError(`The script ${path} took longer than ${timeoutMs} ms`, { fields: { path } });
		});
	}
}
