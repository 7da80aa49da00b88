import { readFile, readlink, stat, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { errnoOf, InvalidInputError } from "@bulkhead/base";
import { linkNameProblem, type NetworkLink, type NetworkLinks } from "../ports/network-links.ts";
import { attemptAsync } from "../refusal.ts";
import type { RingsAddon } from "./addon-shapes.ts";

/** IFF_UP (linux/if.h). */
const FLAG_UP = 1;

/** Interfaces by the kernel's ioctls, and by sysfs, whose texts are the kernel's own. */
export class NativeNetworkLinks implements NetworkLinks {
	readonly #addon: RingsAddon;

	constructor(addon: RingsAddon) {
		this.#addon = addon;
	}

	async find(name: string): Promise<NetworkLink | undefined> {
		const path = `/sys/class/net/${checked(name)}`;
		try {
			const [mtu, flags] = await Promise.all([readFile(`${path}/mtu`, "latin1"), readFile(`${path}/flags`, "latin1")]);
			return {
				isBridge: await exists(`${path}/bridge`),
				bridge: await masterOf(path),
				mtu: Number(mtu),
				isUp: (Number(flags) & FLAG_UP) !== 0,
			};
		} catch (error) {
			// ENODEV, EINVAL: it vanished while it was looked at.
			if (["ENOENT", "ENOTDIR", "ENODEV", "EINVAL"].includes(errnoOf(error) ?? "")) return undefined;
			throw error;
		}
	}

	async joinBridge(name: string, bridge: string): Promise<void> {
		const what = `Could not join interface ${checked(name)} to bridge ${checked(bridge)}`;
		if ((await this.find(name))?.bridge === bridge) return;
		await attemptAsync(what, () => this.#addon.joinBridge(name, bridge), { name, bridge });
		// A kernel without IPv6 has no such file.
		await writeFile(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "1").catch(() => {});
	}

	async setMtu(name: string, mtu: number): Promise<void> {
		const what = `Could not set the MTU of interface ${checked(name)} to ${mtu}`;
		await attemptAsync(what, () => this.#addon.setLinkMtu(name, mtu), { name, mtu });
	}

	async bringUp(name: string): Promise<void> {
		await attemptAsync(`Could not bring interface ${checked(name)} up`, () => this.#addon.bringLinkUp(name), { name });
	}

	async rename(name: string, newName: string): Promise<void> {
		const what = `Could not rename interface ${checked(name)} to ${checked(newName)}`;
		await attemptAsync(what, () => this.#addon.renameLink(name, newName), { name, newName });
	}
}

function checked(name: string): string {
	const problem = linkNameProblem(name);
	if (problem === undefined) return name;
	throw new InvalidInputError(`The interface name ${JSON.stringify(name.slice(0, 64))} ${problem}`);
}

const exists = (path: string): Promise<boolean> =>
	stat(path).then(
		() => true,
		() => false,
	);

/** brport/bridge is a link to the bridge's own directory. */
async function masterOf(path: string): Promise<string | undefined> {
	try {
		return basename(await readlink(`${path}/brport/bridge`));
	} catch {
		return undefined;
	}
}
