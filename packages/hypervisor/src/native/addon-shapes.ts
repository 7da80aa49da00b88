/** What the two addons export. The C++ side checks every argument again and throws TypeError. */

/** xenrings.node: rings and kernel services (native/xenrings.cc). */
export interface RingsAddon {
	Evtchn: new (onEvent: (port: number) => void) => EvtchnAddon;
	Grants: new () => GrantsAddon;
	ForeignMemory: new () => ForeignMemoryAddon;
	FdPoll: new (fd: number, onReady: (readable: boolean, writable: boolean, hangup: boolean) => void) => FdPollAddon;
	pollFd(fd: number): { readable: boolean; writable: boolean; hangup: boolean };
	openPty(): { masterFd: number; path: string };
	peerCredentials(fd: number): { uid: number; gid: number; pid: number };
	attachLoop(path: string, readOnly: boolean): Promise<{ fd: number; path: string; major: number; minor: number }>;
	joinBridge(name: string, bridge: string): Promise<void>;
	setLinkMtu(name: string, mtu: number): Promise<void>;
	bringLinkUp(name: string): Promise<void>;
	renameLink(name: string, newName: string): Promise<void>;
}

export interface EvtchnAddon {
	bindInterdomain(domid: number, remotePort: number): number;
	bindUnbound(domid: number): number;
	unbind(port: number): void;
	notify(port: number): void;
	keepAlive(wanted: boolean): void;
	close(): void;
}

/** `unmap` answers whether the buffer was a live mapping. */
export interface GrantsAddon {
	map(
		domid: number,
		refs: readonly number[],
		writable: boolean,
		notifyOffset?: number,
		notifyPort?: number,
	): ArrayBuffer;
	unmap(buffer: ArrayBuffer): boolean;
	close(): void;
}

export interface ForeignMemoryAddon {
	map(domid: number, frames: readonly number[], writable: boolean): ArrayBuffer;
	unmap(buffer: ArrayBuffer): boolean;
	close(): void;
}

export interface FdPollAddon {
	watch(readable: boolean, writable: boolean): void;
	close(): void;
}

/** xenctrl.node: domain control and building (native/xenctrl.cc). */
export interface ControlAddon {
	create(request: {
		uuid: Uint8Array;
		hvm: boolean;
		maxVcpus: number;
		maxEvtchnPort: number;
		ssidref: number;
	}): Promise<number>;
	destroy(domid: number): Promise<void>;
	pause(domid: number): Promise<void>;
	unpause(domid: number): Promise<void>;
	shutdown(domid: number, reason: number): Promise<void>;
	list(): Promise<RawDomain[]>;
	find(domid: number): Promise<RawDomain | undefined>;
	setMaxVcpus(domid: number, count: number): Promise<void>;
	setMaxMemory(domid: number, maxKiB: number): Promise<void>;
	setMemoryMapLimit(domid: number, maxKiB: number): Promise<void>;
	setPagingMempool(domid: number, bytes: number): Promise<void>;
	setDefaultTsc(domid: number): Promise<void>;
	applyDefaultCpuPolicy(domid: number): Promise<void>;
	setHvmParam(domid: number, param: number, value: number): Promise<void>;
	allocUnboundEvtchn(domid: number, remote: number): Promise<number>;
	setTarget(stub: number, guest: number): Promise<void>;
	hostInfo(): Promise<RawHost>;
	readConsoleRing(): Promise<Buffer>;
	buildPv(
		request: RawBuild & { memoryKiB: number; kernel: string; ramdisk: string; commandLine: string },
	): Promise<RawBuilt>;
	buildHvm(
		request: RawBuild & { maxMemoryKiB: number; videoMemoryKiB: number; firmware: string; bios: string },
	): Promise<RawBuilt>;
}

export interface RawDomain {
	domid: number;
	uuid: Uint8Array;
	hvm: boolean;
	dying: boolean;
	shutdown: boolean;
	shutdownReason: number;
	paused: boolean;
	blocked: boolean;
	running: boolean;
	totalPages: number;
	maxPages: number;
	cpuTimeNs: number;
	onlineVcpus: number;
	maxVcpuId: number;
}

export interface RawHost {
	major: number;
	minor: number;
	extraVersion: string;
	capabilities: string;
	commandLine: string;
	compiler: string;
	totalPages: number;
	freePages: number;
	nrCpus: number;
	cpuKHz: number;
	hvm: boolean;
	hap: boolean;
}

export interface RawBuild {
	domid: number;
	maxVcpus: number;
	storePort: number;
	consolePort: number;
}

export interface RawBuilt {
	storeFrame: number;
	consoleFrame: number;
}
