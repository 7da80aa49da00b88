import { InvalidInputError, printable } from "@bulkhead/base";
import { type Hypervisor, linkNameProblem } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { GuestConfig, NicConfig } from "@bulkhead/xlcfg";
import { findBackend } from "./check-backend.ts";
import type { ServableNic } from "./devices/vif.ts";
import { FileUnusableError } from "./errors.ts";

/** What nics have when their config says nothing of it. */
export interface NetworkDefaults {
	/** "xenbr0" */
	bridge: string;
	/** Where hot-plug scripts that are named without a path are. */
	scriptDirectory: string;
}

/** A nic that the host cannot give a guest. Nothing has been created. */
export class NicUnusableError extends InvalidInputError {
	constructor(nic: NicConfig, why: string, remedy: string, fields: Record<string, unknown> = {}) {
		super(
			`Network interface ${nic.devid} (${nic.mac}) ${why}`,
			{ remedy, fields: { devid: nic.devid, ...fields } },
			"nic-unusable",
		);
	}
}

/** QEMU's names of cards: what else stands in an option would be another option. */
const MODEL = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;
const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/;
/** A frame to such an address goes to many. */
const isMulticast = (mac: string): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;

export interface NicHost {
	hypervisor: Pick<Hypervisor, "links" | "scripts">;
	xenstore: Pick<XenstoreClient, "find" | "findList">;
}

/**
 * Checks what a guest's nics need of the host, and fills in what their config leaves to it: bridge, path of the script,
 * MTU. @throws NicUnusableError, FileUnusableError
 */
export async function checkNics(
	{ nics, type }: Pick<GuestConfig, "nics" | "type">,
	host: NicHost,
	defaults: NetworkDefaults,
): Promise<ServableNic[]> {
	for (const [index, nic] of nics.entries()) checkAlone(nic, type, nics.slice(0, index));
	return Promise.all(nics.map((nic) => resolveNic(nic, host, defaults)));
}

/** The same for one more nic of a guest that has some. @throws NicUnusableError, FileUnusableError */
export async function checkFurtherNic(
	nic: NicConfig,
	{ nics, type }: Pick<GuestConfig, "nics" | "type">,
	host: NicHost,
	defaults: NetworkDefaults,
): Promise<ServableNic> {
	checkAlone(nic, type, nics);
	return resolveNic(nic, host, defaults);
}

function checkAlone(nic: NicConfig, type: GuestConfig["type"], earlier: readonly NicConfig[]): void {
	if (!MAC.test(nic.mac) || isMulticast(nic.mac))
		throw new NicUnusableError(nic, "has no address of a single card", "Leave mac out, or begin it with 00:16:3e");
	if (earlier.some(({ devid }) => devid === nic.devid))
		throw new NicUnusableError(nic, "has the number of another one", "Leave devid out");
	if (earlier.some(({ mac }) => mac === nic.mac))
		throw new NicUnusableError(nic, "has the address of another one", "Give each interface a mac of its own");
	if (!MODEL.test(nic.model))
		throw new NicUnusableError(
			nic,
			`has a model ${printable(JSON.stringify(nic.model), 64)} that is no card's name`,
			"Use e1000 or rtl8139",
		);
	if (nic.type === "ioemu" && type !== "hvm")
		throw new NicUnusableError(nic, "is emulated, which only HVM guests can have", "Leave type out");
	if (nic.vlan !== undefined && nic.script === undefined && nic.backend === undefined)
		throw new NicUnusableError(
			nic,
			"has a VLAN tag, which only scripts set up",
			"Name a script that does, or leave vlan out",
		);
	const problem = nic.interfaceName === undefined ? undefined : linkNameProblem(nic.interfaceName);
	if (problem !== undefined) throw new NicUnusableError(nic, `has a vifname that ${problem}`, "Choose another vifname");
}

async function resolveNic(
	nic: NicConfig,
	{ hypervisor: { links, scripts }, xenstore }: NicHost,
	defaults: NetworkDefaults,
): Promise<ServableNic> {
	const { bridge = defaults.bridge, interfaceName } = nic;
	const backendDomid = await findBackend(nic.backend, xenstore);
	// What bridge and script are there is that domain's own business; libxl names the script that it would run itself.
	if (backendDomid !== undefined) {
		const { script = "vif-bridge" } = nic;
		return {
			...nic,
			bridge,
			backendDomid,
			script: script.startsWith("/") ? script : `${defaults.scriptDirectory}/${script}`,
		};
	}
	if (interfaceName !== undefined && (await links.find(interfaceName)) !== undefined)
		throw new NicUnusableError(
			nic,
			`cannot be called ${interfaceName}: there is such an interface`,
			"Choose another vifname",
		);
	if (nic.script !== undefined) {
		const script = nic.script.startsWith("/") ? nic.script : `${defaults.scriptDirectory}/${nic.script}`;
		const problem = await scripts.problem(script);
		if (problem !== undefined)
			throw new FileUnusableError(`script of network interface ${nic.devid}`, script, problem, {
				remedy: "Correct the script's path, or leave it out: Bulkhead joins bridges itself",
			});
		return { ...nic, bridge, script };
	}
	const found = linkNameProblem(bridge) === undefined ? await links.find(bridge) : undefined;
	if (!found?.isBridge)
		throw new NicUnusableError(
			nic,
			`needs the bridge ${printable(JSON.stringify(bridge), 64)}, which ${found ? "is no Linux bridge" : "does not exist"}`,
			found
				? "Name a bridge, or a script that joins other switches"
				: `Make it (ip link add ${printable(bridge, 16)} type bridge), or name another with bridge=`,
			{ bridge },
		);
	return { ...nic, bridge, mtu: nic.mtu ?? found.mtu };
}
