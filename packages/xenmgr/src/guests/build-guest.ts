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

export interface BuildOptions {
	paused: boolean;
	signal?: AbortSignal;
	onProgress?: (progress: StepProgress) => void;
	/** Test hook of the executor. */
	afterStep?: ExecuteOptions<ToolstackContext>["afterStep"];
}

/**
 * Creates a guest's domains. When it fails, or is cancelled, nothing of it is left: neither domains nor record.
 * @throws FileUnusableError, NotEnoughMemoryError, StepFailedError, CancelledError
 */
export async function buildGuest(guest: Guest, services: Services, options: BuildOptions): Promise<void> {
	const { hypervisor, installed, store } = services;
	const { record } = guest;
	const stubUuid = record.runtime.stub?.uuid ?? record.uuid;
	const facts = await checkHost(record.config, { domains: hypervisor.domains, installed, stubUuid });
	record.phase = "creating";
	await store.save(record);
	const plan = planCreate(record.config, facts, { paused: options.paused });
	const { signal, onProgress, afterStep } = options;
	try {
		await execute(plan, createActions, { context: guest.context(services), signal, onProgress, afterStep });
	} catch (error) {
		await removeGuest(guest, services, { purge: true });
		throw error;
	}
	record.phase = "running";
	record.startedAt = new Date().toISOString();
	await store.save(record);
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
	guest.record.phase = "ending";
	await services.store.save(guest.record);
	await findDomains(guest, services);
	const plan = planDestroy(guest.record.runtime, { purge });
	await execute(plan, destroyActions, { context: guest.context(services), onProgress });
	if (purge) await services.store.remove(guest.uuid);
}

/** A domain made just before its number was written down is known by its uuid. */
async function findDomains({ record }: Guest, { hypervisor }: Services): Promise<void> {
	const domains = await hypervisor.domains.list();
	for (const domain of [record.runtime.guest, record.runtime.stub]) {
		if (!domain || domain.domid !== undefined) continue;
		domain.domid = domains.find(({ uuid }) => uuid === domain.uuid)?.domid;
	}
}
