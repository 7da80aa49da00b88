import { randomUUID } from "node:crypto";
import type { AttachChannelResult, Channel, DetachChannelResult } from "../channels.ts";
import type { AttachDiskRequest, ChangeMediumRequest, DiskResult, GuestDisk } from "../disks.ts";
import type {
	AttachNicResult,
	CreateResult,
	DestroyResult,
	DetachNicResult,
	DoctorCheck,
	DumpCoreResult,
	Guest,
	GuestConsole,
	GuestDetails,
	Host,
	HostEvent,
	Nic,
	OperationLine,
	OtherConsole,
	ProgressLine,
	ShutdownResult,
	WarningLine,
} from "../documents.ts";
import type { AssignablePci, AttachPciRequest, GuestPci, MakeAssignableRequest } from "../pci.ts";
import { API } from "../protocol.ts";
import type { CreateGuestRequest, QmpRequest, ShutdownRequest } from "../requests.ts";
import type { Screen, ScreenInvitation } from "../screens.ts";
import type {
	CreatePoolRequest,
	GuestScheduling,
	GuestVcpus,
	PinRequest,
	Pool,
	SetMemoryRequest,
	SetSchedulingRequest,
	TriggerRequest,
} from "../tuning.ts";
import type { AttachUsbRequest, GuestUsbController, GuestUsbDevice } from "../usb.ts";
import { ApiError } from "./api-error.ts";
import { type Exchange, exchange, explain } from "./http-exchange.ts";
import { readJson, readLines, readText, streamCut } from "./read-answer.ts";

export interface ApiClientOptions {
	/** Default /run/bulkhead/bulkheadd.sock. */
	socketPath?: string;
	/** For answers that are not streamed, and for the head of those that are. Default 60 s: an emulated host is slow. */
	timeoutMs?: number;
}

export interface OperationOptions {
	/** Called for each line as it comes. */
	onLine?: (line: ProgressLine | WarningLine) => void;
	/** Asks the daemon to undo; the operation then ends with an ApiError `cancelled` when that is done. */
	cancel?: AbortSignal;
	/** Breaks the connection and waits for nothing. */
	signal?: AbortSignal;
}

interface Call {
	method?: Exchange["method"];
	body?: unknown;
	headers?: Readonly<Record<string, string>>;
	signal?: AbortSignal;
	timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** A change of a medium and, when it fails, the way back. */
const MEDIUM_TIMEOUT_MS = 180_000;
/** Beyond the deadline that the daemon keeps itself. */
const GRACE_MS = 5_000;

const guestPath = (ref: string, action = ""): string => `/guests/${encodeURIComponent(ref)}${action}`;

const diskPath = (ref: string, vdev: string): string => guestPath(ref, `/disks/${encodeURIComponent(vdev)}`);

/**
 * A client of bulkheadd. `ref` is a guest's uuid, domid or name. Every method may throw ApiError (the daemon's own
 * error), BulkheadError `daemon-unreachable` or `daemon-lost`, DeadlineError, CancelledError and ProtocolError.
 */
export class ApiClient {
	readonly #socketPath: string;
	readonly #timeoutMs: number;

	constructor({ socketPath = API.socketPath, timeoutMs = DEFAULT_TIMEOUT_MS }: ApiClientOptions = {}) {
		this.#socketPath = socketPath;
		this.#timeoutMs = timeoutMs;
	}

	async host(): Promise<Host> {
		return (await this.#json("/host")) as Host;
	}

	/** Xen's message ring. Untrusted text. */
	dmesg(): Promise<string> {
		return this.#finish(async () => readText(await this.#call("/host/dmesg")));
	}

	async doctor(): Promise<DoctorCheck[]> {
		return ((await this.#json("/host/doctor")) as { checks: DoctorCheck[] }).checks;
	}

	async guests(): Promise<Guest[]> {
		return (await this.#json("/guests")) as Guest[];
	}

	async guest(ref: string): Promise<GuestDetails> {
		return (await this.#json(guestPath(ref))) as GuestDetails;
	}

	async consoles(ref: string): Promise<GuestConsole[]> {
		return (await this.#json(guestPath(ref, "/consoles"))) as GuestConsole[];
	}

	/** Consoles of other toolstacks' domains, on a daemon that serves them. */
	async otherConsoles(): Promise<OtherConsole[]> {
		return (await this.#json("/host/consoles")) as OtherConsole[];
	}

	create(request: CreateGuestRequest, options?: OperationOptions): Promise<CreateResult> {
		return this.#operate("/guests", { method: "POST", body: request }, options);
	}

	destroy(ref: string, options?: OperationOptions): Promise<DestroyResult> {
		return this.#operate(guestPath(ref), { method: "DELETE" }, options);
	}

	shutdown(ref: string, request: ShutdownRequest, options?: OperationOptions): Promise<ShutdownResult> {
		return this.#operate(guestPath(ref, "/shutdown"), { method: "POST", body: request }, options);
	}

	/** Writes an ELF core of the guest to a new file of domain 0's. */
	dumpCore(ref: string, path: string, options?: OperationOptions): Promise<DumpCoreResult> {
		return this.#operate(guestPath(ref, "/dump-core"), { method: "POST", body: { path } }, options);
	}

	reboot(ref: string): Promise<Guest> {
		return this.#act(ref, "/reboot");
	}

	pause(ref: string): Promise<Guest> {
		return this.#act(ref, "/pause");
	}

	unpause(ref: string): Promise<Guest> {
		return this.#act(ref, "/unpause");
	}

	rename(ref: string, name: string): Promise<Guest> {
		return this.#act(ref, "/rename", { name });
	}

	async nics(ref: string): Promise<Nic[]> {
		return (await this.#json(guestPath(ref, "/nics"))) as Nic[];
	}

	attachNic(ref: string, spec: string, options?: OperationOptions): Promise<AttachNicResult> {
		return this.#operate(guestPath(ref, "/nics"), { method: "POST", body: { spec } }, options);
	}

	/** `nic`: its number or its address. */
	detachNic(
		ref: string,
		nic: string,
		{ force }: { force: boolean },
		options?: OperationOptions,
	): Promise<DetachNicResult> {
		const path = guestPath(ref, `/nics/${encodeURIComponent(nic)}${force ? "?force=1" : ""}`);
		return this.#operate(path, { method: "DELETE" }, options);
	}

	async channels(ref: string): Promise<Channel[]> {
		return (await this.#json(guestPath(ref, "/channels"))) as Channel[];
	}

	attachChannel(ref: string, spec: string, options?: OperationOptions): Promise<AttachChannelResult> {
		return this.#operate(guestPath(ref, "/channels"), { method: "POST", body: { spec } }, options);
	}

	detachChannel(
		ref: string,
		name: string,
		{ force }: { force: boolean },
		options?: OperationOptions,
	): Promise<DetachChannelResult> {
		const path = guestPath(ref, `/channels/${encodeURIComponent(name)}${force ? "?force=1" : ""}`);
		return this.#operate(path, { method: "DELETE" }, options);
	}

	/** Runs a QMP command on the guest's QEMU, as far as the relay's policy lets it. */
	async qmp(ref: string, request: QmpRequest): Promise<unknown> {
		const timeoutMs = request.timeoutMs + GRACE_MS;
		const answer = await this.#json(guestPath(ref, "/qmp"), { method: "POST", body: request, timeoutMs });
		return (answer as { return: unknown }).return;
	}

	async screen(ref: string): Promise<Screen> {
		return (await this.#json(guestPath(ref, "/screen"))) as Screen;
	}

	/** A URL for one browser, once and soon. */
	async inviteToScreen(ref: string): Promise<ScreenInvitation> {
		return (await this.#json(guestPath(ref, "/screen"), { method: "POST" })) as ScreenInvitation;
	}

	async disks(ref: string): Promise<GuestDisk[]> {
		return (await this.#json(guestPath(ref, "/disks"))) as GuestDisk[];
	}

	async attachDisk(ref: string, request: AttachDiskRequest): Promise<DiskResult> {
		return (await this.#json(guestPath(ref, "/disks"), { method: "POST", body: request })) as DiskResult;
	}

	/** `vdev` is the disk's name or its number. With `force` the guest is not asked. */
	async detachDisk(ref: string, vdev: string, { force }: { force: boolean }): Promise<DiskResult> {
		const path = `${diskPath(ref, vdev)}${force ? "?force=1" : ""}`;
		return (await this.#json(path, { method: "DELETE" })) as DiskResult;
	}

	async changeMedium(ref: string, vdev: string, request: ChangeMediumRequest): Promise<DiskResult> {
		const timeoutMs = MEDIUM_TIMEOUT_MS;
		return (await this.#json(`${diskPath(ref, vdev)}/medium`, {
			method: "POST",
			body: request,
			timeoutMs,
		})) as DiskResult;
	}

	/** What domain 0 gives away, free or not. */
	async assignablePci(): Promise<AssignablePci[]> {
		return (await this.#json("/host/pci")) as AssignablePci[];
	}

	async makePciAssignable(request: MakeAssignableRequest): Promise<AssignablePci> {
		return (await this.#json("/host/pci", { method: "POST", body: request })) as AssignablePci;
	}

	/** `place`: a device's address or name. With `rebind` the driver that had it gets it back. */
	async makePciUnassignable(place: string, { rebind }: { rebind: boolean }): Promise<{ address: string }> {
		const path = `/host/pci/${encodeURIComponent(place)}${rebind ? "?rebind=1" : ""}`;
		return (await this.#json(path, { method: "DELETE" })) as { address: string };
	}

	async pci(ref: string): Promise<GuestPci[]> {
		return (await this.#json(guestPath(ref, "/pci"))) as GuestPci[];
	}

	async attachPci(ref: string, request: AttachPciRequest): Promise<GuestPci> {
		return (await this.#json(guestPath(ref, "/pci"), { method: "POST", body: request })) as GuestPci;
	}

	/** With `force` the guest is not asked. */
	async detachPci(ref: string, place: string, { force }: { force: boolean }): Promise<GuestPci> {
		const path = guestPath(ref, `/pci/${encodeURIComponent(place)}${force ? "?force=1" : ""}`);
		return (await this.#json(path, { method: "DELETE" })) as GuestPci;
	}

	async usb(ref: string): Promise<GuestUsbController[]> {
		return (await this.#json(guestPath(ref, "/usb"))) as GuestUsbController[];
	}

	async attachUsbController(ref: string, request: AttachUsbRequest): Promise<GuestUsbController> {
		const path = guestPath(ref, "/usb/controllers");
		return (await this.#json(path, { method: "POST", body: request })) as GuestUsbController;
	}

	/** `devid`: the controller's number. */
	async detachUsbController(ref: string, devid: string): Promise<GuestUsbController> {
		const path = guestPath(ref, `/usb/controllers/${encodeURIComponent(devid)}`);
		return (await this.#json(path, { method: "DELETE" })) as GuestUsbController;
	}

	async attachUsbDevice(ref: string, request: AttachUsbRequest): Promise<GuestUsbDevice> {
		return (await this.#json(guestPath(ref, "/usb/devices"), { method: "POST", body: request })) as GuestUsbDevice;
	}

	async detachUsbDevice(ref: string, controller: string, port: string): Promise<GuestUsbDevice> {
		const path = guestPath(ref, `/usb/devices/${encodeURIComponent(controller)}/${encodeURIComponent(port)}`);
		return (await this.#json(path, { method: "DELETE" })) as GuestUsbDevice;
	}

	async vcpus(ref: string): Promise<GuestVcpus> {
		return (await this.#json(guestPath(ref, "/vcpus"))) as GuestVcpus;
	}

	async setVcpus(ref: string, count: number): Promise<void> {
		await this.#json(guestPath(ref, "/vcpus"), { method: "POST", body: { count } });
	}

	async pinVcpu(ref: string, request: PinRequest): Promise<void> {
		await this.#json(guestPath(ref, "/vcpus/pin"), { method: "POST", body: request });
	}

	async setMemory(ref: string, request: SetMemoryRequest): Promise<void> {
		await this.#json(guestPath(ref, "/memory"), { method: "POST", body: request });
	}

	async scheduling(ref: string): Promise<GuestScheduling> {
		return (await this.#json(guestPath(ref, "/scheduling"))) as GuestScheduling;
	}

	async setScheduling(ref: string, request: SetSchedulingRequest): Promise<GuestScheduling> {
		return (await this.#json(guestPath(ref, "/scheduling"), { method: "POST", body: request })) as GuestScheduling;
	}

	async trigger(ref: string, request: TriggerRequest): Promise<void> {
		await this.#json(guestPath(ref, "/trigger"), { method: "POST", body: request });
	}

	async sysrq(ref: string, key: string): Promise<void> {
		await this.#json(guestPath(ref, "/sysrq"), { method: "POST", body: { key } });
	}

	/** Keys of the hypervisor's console; what they print is in `dmesg`. */
	async debugKeys(keys: string): Promise<void> {
		await this.#json("/host/debug-keys", { method: "POST", body: { keys } });
	}

	async pools(): Promise<Pool[]> {
		return (await this.#json("/host/pools")) as Pool[];
	}

	async createPool(request: CreatePoolRequest): Promise<Pool> {
		return (await this.#json("/host/pools", { method: "POST", body: request })) as Pool;
	}

	/** `pool` is a name or a number. */
	async destroyPool(pool: string): Promise<void> {
		await this.#json(`/host/pools/${encodeURIComponent(pool)}`, { method: "DELETE" });
	}

	/** `cpus` is a set in xl's words. */
	async changePoolCpus(pool: string, cpus: string, { remove }: { remove: boolean }): Promise<Pool> {
		const path = `/host/pools/${encodeURIComponent(pool)}/cpus${remove ? "/remove" : ""}`;
		return (await this.#json(path, { method: "POST", body: { cpus } })) as Pool;
	}

	async moveToPool(ref: string, pool: string): Promise<void> {
		await this.#json(guestPath(ref, "/pool"), { method: "POST", body: { pool } });
	}

	/** What happens from now on; of one guest when `ref` is given. Runs until the signal aborts or the loop is left. */
	async *events(ref: string | undefined, signal: AbortSignal): AsyncGenerator<HostEvent> {
		const query = ref === undefined ? "" : `?guest=${encodeURIComponent(ref)}`;
		const response = await this.#call(`/events${query}`, { signal });
		try {
			for await (const line of readLines(response)) yield line as HostEvent;
		} catch (error) {
			if (!signal.aborted) throw error;
		}
		if (!signal.aborted) throw streamCut();
	}

	async #act(ref: string, action: string, body?: unknown): Promise<Guest> {
		return (await this.#json(guestPath(ref, action), { method: "POST", body })) as Guest;
	}

	#json(path: string, call?: Call): Promise<unknown> {
		return this.#finish(async () => readJson(await this.#call(path, call)));
	}

	/** A connection that breaks in the middle of an answer is told like one that breaks before. */
	async #finish<T>(read: () => Promise<T>): Promise<T> {
		try {
			return await read();
		} catch (error) {
			throw error instanceof Error ? explain(error, this.#socketPath, undefined) : error;
		}
	}

	#call(
		path: string,
		{ method = "GET", body, headers, signal, timeoutMs = this.#timeoutMs }: Call = {},
	): ReturnType<typeof exchange> {
		const socketPath = this.#socketPath;
		return exchange({ socketPath, method, path: `${API.prefix}${path}`, body, headers, signal, timeoutMs });
	}

	async #operate<Result>(path: string, call: Call, { onLine, cancel, signal }: OperationOptions = {}): Promise<Result> {
		const id = randomUUID();
		const giveUp = new AbortController();
		const onAbort = (): void => giveUp.abort(signal?.reason);
		// A daemon that cannot cancel by request notices that its client is gone, and undoes all the same.
		const onCancel = (): void => void this.#cancel(id).catch((error: unknown) => giveUp.abort(error));
		signal?.addEventListener("abort", onAbort, { once: true });
		cancel?.addEventListener("abort", onCancel, { once: true });
		if (signal?.aborted) onAbort();
		if (cancel?.aborted) onCancel();
		try {
			const headers = { [API.operationHeader]: id };
			const response = await this.#call(path, { ...call, headers, signal: giveUp.signal });
			for await (const value of readLines(response)) {
				const line = value as OperationLine<Result>;
				if (line.type === "error") throw new ApiError(line.error);
				if (line.type === "result") return line as Result;
				onLine?.(line);
			}
			throw streamCut();
		} catch (error) {
			if (error instanceof ApiError || !giveUp.signal.aborted) throw error;
			throw explain(error as Error, this.#socketPath, giveUp.signal);
		} finally {
			signal?.removeEventListener("abort", onAbort);
			cancel?.removeEventListener("abort", onCancel);
		}
	}

	async #cancel(id: string): Promise<void> {
		await this.#json(`/operations/${id}`, { method: "DELETE" });
	}
}
