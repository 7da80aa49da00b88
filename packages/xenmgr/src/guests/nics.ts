import type { AttachNicResult, DetachNicResult, Nic } from "@bulkhead/api";
import { DOM0, type DomId } from "@bulkhead/base";
import {
	attachNic,
	backendPath,
	checkFurtherNic,
	DeviceRefusedError,
	detachNic,
	findBackendDomid,
	nicsOf,
	xenbusPaths,
} from "@bulkhead/toolstack";
import type { NicConfig } from "@bulkhead/xlcfg";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";
import { readNicSpec } from "./nic-spec.ts";
import { requireRunning } from "./power.ts";

/** What xl shows for a number that is not there. */
const UNTOLD = -1;

/** The guest's nics, with what their frontends say now. */
export async function listNics(guest: Guest, services: Services): Promise<Nic[]> {
	return Promise.all(guest.record.config.nics.map((nic) => describeNic(guest, nic, services)));
}

/**
 * Gives a running guest another nic, and its config too: it is there again after a reboot. The record is written first,
 * so that a daemon that finds a half-made nic knows of it. The caller holds the guest's `operations`.
 * @throws InvalidInputError, NicUnusableError, FileUnusableError; what attachNic throws, with nothing left of the nic
 */
export async function attachGuestNic(
	guest: Guest,
	services: Services,
	spec: string,
	signal?: AbortSignal,
): Promise<AttachNicResult> {
	const { record } = guest;
	const domid = requireRunning(guest);
	const earlier = record.config.nics;
	const asked = readNicSpec(spec, record.config.type, await freeDevid(services, domid, earlier));
	if (asked.type === "ioemu")
		throw new DeviceRefusedError("device-refused", "An emulated network card cannot be plugged into a running guest", {
			remedy: "Use type=vif: the guest sees it through its PV drivers",
		});
	const { installed, store } = services;
	const nic = await checkFurtherNic(asked, record.config, services, installed.network);
	record.config = { ...record.config, nics: [...earlier, asked] };
	await store.save(record);
	try {
		await attachNic(services, domid, nic, signal);
	} catch (error) {
		record.config = { ...record.config, nics: earlier };
		await store.save(record);
		throw error;
	}
	services.events.emit("device-attached", { guest: guest.identity, kind: "vif", devid: asked.devid });
	return { nic: await describeNic(guest, asked, services) };
}

/**
 * Takes a nic away, named by number or address: the guest's interface and, for an emulated card, the stub domain's, so
 * that no frame passes either way. The caller holds the guest's `operations`. @throws DeviceRefusedError `no-such-device`
 */
export async function detachGuestNic(
	guest: Guest,
	services: Services,
	reference: string,
	{ force }: { force: boolean },
): Promise<DetachNicResult> {
	const { record } = guest;
	const domid = requireRunning(guest);
	const nic = findNic(guest, reference);
	const last = await describeNic(guest, nic, services);
	const stub = record.runtime.stub?.domid;
	const removals = await Promise.all([
		detachNic(services, domid, nic, { force }),
		...(stub === undefined ? [] : nicsOf("stub", [nic]).map((each) => detachNic(services, stub, each, { force }))),
	]);
	record.config = { ...record.config, nics: record.config.nics.filter(({ devid }) => devid !== nic.devid) };
	await services.store.save(record);
	services.events.emit("device-detached", { guest: guest.identity, kind: "vif", devid: nic.devid });
	return {
		nic: last,
		forced: removals.some(({ forced }) => forced),
		complaints: removals.flatMap(({ complaints }) => complaints),
	};
}

function findNic(guest: Guest, reference: string): NicConfig {
	const found = guest.record.config.nics.find(
		({ devid, mac }) => `${devid}` === reference || mac === reference.toLowerCase(),
	);
	if (found) return found;
	throw new DeviceRefusedError(
		"no-such-device",
		`The guest has no network interface ${JSON.stringify(reference.slice(0, 64))}`,
		{
			remedy: "See `bulkhead network-list` for those that it has",
			fields: { reference },
		},
	);
}

/** The smallest number that neither the config nor xenstore has. */
async function freeDevid({ xenstore }: Services, domid: DomId, nics: readonly NicConfig[]): Promise<number> {
	for (let devid = 0; ; devid++) {
		if (nics.some((nic) => nic.devid === devid)) continue;
		if ((await xenstore.find(backendPath(domid, "vif", devid))) === undefined) return devid;
	}
}

async function describeNic(guest: Guest, nic: NicConfig, { xenstore, installed }: Services): Promise<Nic> {
	const { devid, mac, type, model, bridge = installed.network.bridge } = nic;
	const domid = guest.record.runtime.guest.domid ?? DOM0;
	const backendDomid = await findBackendDomid(xenstore, { domid, kind: "vif", devid });
	const { frontend, backend } = xenbusPaths({ domid, kind: "vif", devid, backendDomid });
	const queue = `${frontend}/queue-0`;
	const number = async (...paths: string[]): Promise<number> => {
		for (const path of paths) {
			const text = await xenstore.find(path);
			if (text !== undefined && /^\d{1,10}$/.test(text)) return Number(text);
		}
		return UNTOLD;
	};
	const [state, eventChannel, txRingRef, rxRingRef] = await Promise.all([
		number(`${frontend}/state`),
		number(`${frontend}/event-channel`, `${frontend}/event-channel-tx`, `${queue}/event-channel-tx`),
		number(`${frontend}/tx-ring-ref`, `${queue}/tx-ring-ref`),
		number(`${frontend}/rx-ring-ref`, `${queue}/rx-ring-ref`),
	]);
	return {
		devid,
		mac,
		type,
		...(type === "ioemu" && { model }),
		bridge,
		interfaceName: nic.interfaceName ?? `vif${domid}.${devid}`,
		backendDomid,
		state,
		eventChannel,
		txRingRef,
		rxRingRef,
		backendPath: backend,
	};
}
