import type { CpuPlace, VcpuInfo } from "../ports/cpus.ts";
import type { BuiltImage } from "../ports/guest-builder.ts";
import type { FdConditions } from "../ports/host-devices.ts";

/** What the two addons export. The C++ side checks every argument again and throws TypeError. */

/** xenrings.node: rings and kernel services (native/xenrings.cc). */
export interface RingsAddon {
	Evtchn: new (onEvent: (port: number) => void) => EvtchnAddon;
	Grants: new () => GrantsAddon;
	GrantOffers: new () => GrantOffersAddon;
	ForeignMemory: new () => ForeignMemoryAddon;
	FdPoll: new (fd: number, onReady: (readable: boolean, writable: boolean, hangup: boolean) => void) => FdPollAddon;
	pollFd(fd: number): FdConditions;
	openPty(): { masterFd: number; path: string };
	peerCredentials(fd: number): { uid: number; gid: number; pid: number };
	listenUnix(path: string, mode: number, uid: number, gid: number): number;
	listenTcp(address: string, port: number): number;
	openInbox(path: string): number;
	sendDescriptor(inbox: string, fd: number, token: string): void;
	receiveDescriptor(inboxFd: number): { fd: number; token: string } | undefined;
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
	/** A port is masked when `onEvent` is called for it, and stays so until this. */
	unmask(port: number): void;
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

export interface GrantOffersAddon {
	offer(
		domid: number,
		pages: number,
		notifyOffset?: number,
		notifyPort?: number,
	): { buffer: ArrayBuffer; refs: number[] };
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
	create(request: RawCreate): Promise<number>;
	destroy(domid: number): Promise<void>;
	pause(domid: number): Promise<void>;
	unpause(domid: number): Promise<void>;
	shutdown(domid: number, reason: number): Promise<void>;
	list(): Promise<RawDomain[]>;
	find(domid: number): Promise<RawDomain | undefined>;
	setHandle(domid: number, handle: Uint8Array): Promise<void>;
	setMaxVcpus(domid: number, count: number): Promise<void>;
	setMaxMemory(domid: number, maxKiB: number): Promise<void>;
	setMemoryMapLimit(domid: number, maxKiB: number): Promise<void>;
	setPagingMempool(domid: number, bytes: number): Promise<void>;
	setPodTarget(domid: number, targetKiB: number): Promise<void>;
	setTscMode(domid: number, mode: number): Promise<void>;
	setTimeOffset(domid: number, seconds: number): Promise<void>;
	applyCpuPolicy(domid: number, policy: RawCpuPolicy): Promise<void>;
	sendTrigger(domid: number, trigger: number, vcpu: number): Promise<void>;
	permitIoPorts(domid: number, first: number, count: number, allow: boolean): Promise<void>;
	permitIrq(domid: number, irq: number): Promise<number>;
	withdrawIrq(domid: number, pirq: number): Promise<void>;
	permitMemory(domid: number, first: number, count: number, allow: boolean): Promise<void>;
	mapMemory(domid: number, first: number, count: number, guestFrame: number): Promise<void>;
	assignPci(domid: number, device: number, relaxed: boolean): Promise<void>;
	deassignPci(domid: number, device: number): Promise<void>;
	testAssignPci(domid: number, device: number): Promise<void>;
	quarantinePci(device: number, quarantined: boolean): Promise<void>;
	hostMemoryMap(): Promise<{ start: number; size: number; type: number }[]>;
	setMemoryMap(
		domid: number,
		starts: readonly number[],
		sizes: readonly number[],
		types: readonly number[],
	): Promise<void>;
	securityId(label: string): Promise<number>;
	sendDebugKeys(keys: string): Promise<void>;
	dumpCore(domid: number, fd: number): Promise<void>;
	getVcpu(domid: number, vcpu: number): Promise<Omit<VcpuInfo, "vcpu">>;
	getAffinity(domid: number, vcpu: number): Promise<{ hard: number[]; soft: number[] }>;
	setAffinity(domid: number, vcpu: number, hard?: readonly number[], soft?: readonly number[]): Promise<void>;
	getNodeAffinity(domid: number): Promise<number[]>;
	setNodeAffinity(domid: number, nodes: readonly number[]): Promise<void>;
	topology(): Promise<CpuPlace[]>;
	pools(): Promise<{ id: number; scheduler: number; domains: number; cpus: number[] }[]>;
	createPool(scheduler: number): Promise<number>;
	destroyPool(pool: number): Promise<void>;
	addCpu(pool: number, cpu: number): Promise<void>;
	removeCpu(pool: number, cpu: number): Promise<void>;
	moveDomain(domid: number, pool: number): Promise<void>;
	/** `first` and `second`: weight and cap, or period and budget. */
	scheduling(domid: number): Promise<{ scheduler: number; first: number; second: number }>;
	setScheduling(domid: number, scheduler: number, first: number, second: number): Promise<void>;
	setHvmParam(domid: number, param: number, value: number): Promise<void>;
	allocUnboundEvtchn(domid: number, remote: number): Promise<number>;
	setTarget(stub: number, guest: number): Promise<void>;
	hostInfo(): Promise<RawHost>;
	readConsoleRing(): Promise<Buffer>;
	buildPv(
		request: RawBuild & { memoryKiB: number; kernel: string; ramdisk: string; commandLine: string },
	): Promise<RawBuilt>;
	buildHvm(request: RawBuildHvm): Promise<RawBuilt>;
	buildPvh(
		request: RawBuild & {
			memoryKiB: number;
			maxMemoryKiB: number;
			kernel: string;
			ramdisk: string;
			commandLine: string;
			acpi: readonly { address: number; bytes: Uint8Array }[];
		},
	): Promise<RawBuilt>;
}

/** Absent limits are Xen's own; 0 stands for the newest grants, for no altp2m and for no trace. */
export interface RawCreate {
	uuid: Uint8Array;
	type: string;
	maxVcpus: number;
	maxEvtchnPort: number;
	ssidref: number;
	grantVersion: number;
	cpupool: number;
	altp2m: number;
	vmtraceBytes: number;
	hap: boolean;
	oosOff: boolean;
	nestedVirt: boolean;
	vpmu: boolean;
	iommu: boolean;
	separateIommu: boolean;
	msrRelaxed: boolean;
	hvmPirq: boolean;
	maxGrantFrames?: number;
	maxMaptrackFrames?: number;
}

/** Registers are "" where nothing is said of them; a leaf without subleaves has 0xffffffff. */
export interface RawCpuPolicy {
	pae: boolean;
	nestedVirt: boolean;
	invariantTsc: boolean;
	leaves: { leaf: number; subleaf: number; eax: string; ebx: string; ecx: string; edx: string }[];
}

export interface RawBuildHvm extends RawBuild {
	vcpus: number;
	memoryKiB: number;
	maxMemoryKiB: number;
	videoMemoryKiB: number;
	mmioHoleMiB: number;
	apic: boolean;
	firmware: string;
	bios: string;
	/** "" for none. */
	acpiFirmware: string;
	smbiosFirmware: string;
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
	cpupool: number;
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
	iommu: boolean;
}

export interface RawBuild {
	domid: number;
	maxVcpus: number;
	storePort: number;
	consolePort: number;
}

export type RawBuilt = BuiltImage;
