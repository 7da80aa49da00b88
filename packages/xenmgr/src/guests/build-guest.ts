import { serializeError } from "@bulkhead/base";
import {
	checkHost,
	createActions,
	destroyActions,
	type ExecuteOptions,
	execute,
	planCreate,
	planDestroy,
	type StepProgress,
	type ToolstackContext,
} from "@bulkhead/toolstack";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";
import { serveChannels, stopChannels } from "./serve-channels.ts";
import { tellOfScreen } from "./tell-of-screen.ts";

export interface BuildOptions {
	paused: boolean;
	signal?: AbortSignal;
	onProgress?: (progress: StepProgress) => void;
	/** Test hook of the executor. */
	afterStep?: ExecuteOptions<ToolstackContext>["afterStep"];
}

/** A relay that is being restarted is waited for; without one nothing is created. */
const RELAY_TIMEOUT_MS = 5000;

/**
 * Creates a guest's domains. When it fails, or is cancelled, nothing of it is left: neither domains nor record.
 * @throws FileUnusableError, NicUnusableError, NotEnoughMemoryError, StepFailedError, CancelledError
 */
export async function buildGuest(guest: Guest, services: Services, options: BuildOptions): Promise<void> {
	const { hypervisor, xenstore, installed, store, relay, screenPolicy } = services;
	const { record } = guest;
	await relay.awaitConnection(RELAY_TIMEOUT_MS);
	const stubUuid = record.runtime.stub?.uuid ?? record.uuid;
	const facts = await checkHost(record.config, { hypervisor, xenstore, installed, screenPolicy, stubUuid });
	record.phase = "creating";
	await store.save(record);
	const plan = planCreate(record.config, facts, { paused: options.paused });
	const { signal, onProgress, afterStep } = options;
	try {
		await execute(plan, createActions, { context: guest.context(services), signal, onProgress, afterStep });
	} catch (error) {
		await sweep(guest, services);
		throw error;
	}
	record.phase = "running";
	record.startedAt = new Date().toISOString();
	await store.save(record);
	serveChannels(guest, services);
	tellOfScreen(guest, services);
}

/** After the executor's undoing: waits until the domains are gone. What still fails is left for `bulkhead destroy`. */
async function sweep(guest: Guest, services: Services): Promise<void> {
	try {
		await removeGuest(guest, services, { purge: true });
	} catch (error) {
		services.log.error({ guest: guest.uuid, error: serializeError(error) }, "A failed create could not be undone");
	}
}

export interface RemoveOptions {
	/** Console journals go as well; a guest that is about to be started again keeps them. */
	purge: boolean;
	onProgress?: (progress: StepProgress) => void;
}

/**
 * Takes a guest's domains away, wholly or half made, then (with `purge`) its record. Safe to repeat; what another
 * daemon left is found by uuid.
 */
export async function removeGuest(
	guest: Guest,
	services: Services,
	{ purge, onProgress }: RemoveOptions,
): Promise<void> {
	guest.stopWatching();
	await stopChannels(guest);
	guest.record.phase = "ending";
	await services.store.save(guest.record);
	await findDomains(guest, services);
	const plan = planDestroy(guest.record.runtime, {
		purge,
		nics: guest.record.config.nics,
		hasChannels: guest.record.config.channels.length > 0,
	});
	await execute(plan, destroyActions, { context: guest.context(services), onProgress });
	if (!purge) return;
	await services.store.remove(guest.uuid);
	guest.isGone = true;
}

/** A domain made just before its number was written down is known by its uuid. */
async function findDomains({ record }: Guest, { hypervisor }: Services): Promise<void> {
	const domains = await hypervisor.domains.list();
	for (const domain of [record.runtime.guest, record.runtime.stub]) {
		if (!domain || domain.domid !== undefined) continue;
		domain.domid = domains.find(({ uuid }) => uuid === domain.uuid)?.domid;
	}
}
