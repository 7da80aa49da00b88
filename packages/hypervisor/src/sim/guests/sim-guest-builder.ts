import { DOM0 } from "@bulkhead/base";
import type { DomainType } from "../../ports/domains.ts";
import {
	type BuildCommon,
	type BuildHvm,
	type BuildPv,
	type BuildPvh,
	type BuiltImage,
	type GuestBuilder,
	type LoadedTable,
	PVH_ACPI,
} from "../../ports/guest-builder.ts";
import { checkDomid, checkInteger } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { SimDomain } from "../domains/sim-domain.ts";
import { PAGE_BYTES } from "../memory/sim-page.ts";
import type { ProcessParts } from "../sim-process.ts";
import { HVM_INFO_FRAME, writeHvmInfo } from "./hvm-info.ts";
import { openImage } from "./open-image.ts";
import { readKernel } from "./read-kernel.ts";

const PAGE_KIB = 4;
/** grant_table.h: GNTTAB_RESERVED_CONSOLE, GNTTAB_RESERVED_XENSTORE. */
const RESERVED_GRANTS = { console: 0, xenstore: 1 } as const;
/** libxenguest's special pages below 4 GiB (xg_dom_x86.c: the last 8 before 0xff000). */
const HVM_FRAMES = { special: 0xfeff8, specialCount: 8, store: 0xfeffc, console: 0xfefff } as const;
/** Where a PV domain's own pages lie among its frames, after the kernel. */
const PV_PAGES = { store: 1, console: 2 } as const;
const HEAD_BYTES = 64;
/** hvm/e820.h: HVM_BELOW_4G_MMIO_LENGTH. */
const LEAST_HOLE_MIB = 256;
const FOUR_GIB_PAGES = 2 ** 20;
/** Somewhere that a guest could not mistake: the simulated hvmloader reads nothing. */
const FIRST_TABLE = 0x10_0000;

/** Loads images as far as a simulated host needs them: memory, special pages and grants are real, code is recognised. */
export class SimGuestBuilder implements GuestBuilder {
	readonly #parts: ProcessParts;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	async buildPv(request: BuildPv): Promise<BuiltImage> {
		checkMiB(request.memoryKiB);
		const { kernel, ramdisk, commandLine, memoryKiB } = request;
		return this.#build("buildPv", request, kernel, "pv", async (domain) => {
			const { hasPvEntry, hasPvhEntry: _, ...facts } = await openImage(kernel, readKernel);
			if (!hasPvEntry) throw new SimFailure("xc_dom_parse_image", "EINVAL", ["the kernel has no PV entry"]);
			const initrd = ramdisk === undefined ? undefined : await readHead(ramdisk);
			const first = this.#parts.host.takeFrames(memoryKiB / PAGE_KIB);
			const built = { storeFrame: first + PV_PAGES.store, consoleFrame: first + PV_PAGES.console };
			return {
				built,
				settle: () => {
					this.#populate(domain, memoryKiB);
					domain.addFrames(first, memoryKiB / PAGE_KIB);
					const common = { ...bootFacts(request), ...built, memoryKiB };
					domain.image = { type: "pv", kernel, ...facts, commandLine, ramdisk: initrd, ...common };
				},
			};
		});
	}

	async buildHvm(request: BuildHvm): Promise<BuiltImage> {
		const { firmware, bios, maxMemoryKiB, videoMemoryKiB, maxVcpus, acpiFirmware, smbiosFirmware } = request;
		const { memoryKiB = maxMemoryKiB, vcpus = maxVcpus, apic = true, mmioHoleMiB = LEAST_HOLE_MIB } = request;
		checkContainer(memoryKiB, maxMemoryKiB);
		checkMiB(videoMemoryKiB, 0);
		checkInteger("vcpus", vcpus, 1, maxVcpus);
		checkInteger("mmioHoleMiB", mmioHoleMiB, LEAST_HOLE_MIB, 3840);
		const ramKiB = maxMemoryKiB - videoMemoryKiB;
		const startKiB = memoryKiB - videoMemoryKiB;
		if (startKiB <= 0) throw new TypeError("videoMemoryKiB must leave some memory");
		return this.#build("buildHvm", request, firmware, "hvm", async (domain) => {
			for (const path of [firmware, bios]) await openImage(path, async () => {});
			const tables = {
				...(acpiFirmware && { acpiTable: await loadTable(acpiFirmware, 0) }),
				...(smbiosFirmware && { smbiosTable: await loadTable(smbiosFirmware, 1) }),
			};
			const built = { storeFrame: HVM_FRAMES.store, consoleFrame: HVM_FRAMES.console };
			return {
				built: { ...built, ...tables },
				settle: () => {
					this.#populateContainer(domain, startKiB, ramKiB);
					const page = domain.findPage(HVM_INFO_FRAME);
					const lowPages = Math.min(ramKiB / PAGE_KIB, FOUR_GIB_PAGES - (mmioHoleMiB * 1024) / PAGE_KIB);
					if (page) writeHvmInfo(page.bytes, { vcpus, maxVcpus, apic, lowPages, ramPages: ramKiB / PAGE_KIB });
					domain.image = { type: "hvm", firmware, bios, ...bootFacts(request), ...built, memoryKiB: startKiB };
				},
			};
		});
	}

	async buildPvh(request: BuildPvh): Promise<BuiltImage> {
		const { kernel, ramdisk, commandLine, memoryKiB, maxMemoryKiB, acpi } = request;
		checkContainer(memoryKiB, maxMemoryKiB);
		if (acpi.length > PVH_ACPI.mostPieces) throw new TypeError("acpi has too many pieces");
		for (const { address, bytes } of acpi)
			checkInteger("address", address, PVH_ACPI.start, PVH_ACPI.start + PVH_ACPI.bytes - bytes.length);
		return this.#build("buildPvh", request, kernel, "pvh", async (domain) => {
			const { hasPvEntry: _, hasPvhEntry, ...facts } = await openImage(kernel, readKernel);
			if (!hasPvhEntry) throw new SimFailure("xc_dom_parse_image", "EINVAL", ["the kernel has no PVH entry"]);
			const initrd = ramdisk === undefined ? undefined : await readHead(ramdisk);
			const built = { storeFrame: HVM_FRAMES.store, consoleFrame: HVM_FRAMES.console };
			return {
				built,
				settle: () => {
					this.#populateContainer(domain, memoryKiB, maxMemoryKiB);
					for (const { address, bytes } of acpi) this.#place(domain, address, bytes);
					const common = { ...bootFacts(request), ...built, memoryKiB };
					domain.image = { type: "pvh", kernel, ...facts, commandLine, ramdisk: initrd, acpi, ...common };
				},
			};
		});
	}

	/** Memory from frame 0 on and the special pages. What exceeds `startKiB` is only there once it is touched. */
	#populateContainer(domain: SimDomain, startKiB: number, ramKiB: number): void {
		this.#populate(domain, startKiB + HVM_FRAMES.specialCount * PAGE_KIB);
		domain.addFrames(0, ramKiB / PAGE_KIB);
		domain.addFrames(HVM_FRAMES.special, HVM_FRAMES.specialCount);
		if (startKiB < ramKiB) domain.podTargetKiB = startKiB;
	}

	#place(domain: SimDomain, address: number, bytes: Uint8Array): void {
		const first = Math.floor(address / PAGE_BYTES);
		const count = Math.ceil((address + bytes.length) / PAGE_BYTES) - first;
		this.#populate(domain, count * PAGE_KIB);
		domain.addFrames(first, count);
		for (let at = 0; at < bytes.length; ) {
			const frame = Math.floor((address + at) / PAGE_BYTES);
			const offset = (address + at) % PAGE_BYTES;
			const part = bytes.subarray(at, at + PAGE_BYTES - offset);
			domain.findPage(frame)?.bytes.set(part, offset);
			at += part.length;
		}
	}

	#build(
		name: string,
		request: BuildCommon,
		image: string,
		type: DomainType,
		load: (domain: SimDomain) => Promise<{ built: BuiltImage; settle: () => void }>,
	): Promise<BuiltImage> {
		const { domid } = request;
		checkDomid(domid);
		const { calls, host } = this.#parts;
		const attempt = `Could not build domain ${domid} from ${image}`;
		return calls.run({ name: `builder.${name}`, attempt, fields: { domid, image }, domid }, async () => {
			const find = (): SimDomain => {
				const domain = host.find(domid);
				if (!domain || domain.isDying) throw new SimFailure("xc_dom_boot_xen_init", "ESRCH", ["no such domain"]);
				return domain;
			};
			const domain = find();
			if (domain.type !== type || domain.image)
				throw new SimFailure("xc_dom_boot_xen_init", "EINVAL", ["not such a domain"]);
			const { built, settle } = await load(domain);
			// The files took their time: the domain may be gone.
			if (find() !== domain) throw new SimFailure("xc_dom_boot_mem_init", "ESRCH", ["the domain is gone"]);
			settle();
			this.#grant(domain, built);
			return built;
		});
	}

	/** @throws SimFailure ENOMEM */
	#populate(domain: SimDomain, kib: number): void {
		const { host } = this.#parts;
		if (domain.totalKiB + kib > domain.maxKiB)
			throw new SimFailure("xc_domain_populate_physmap", "ENOMEM", ["the domain's limit allows no such memory"]);
		if (kib > host.freeKiB)
			throw new SimFailure("xc_domain_populate_physmap", "ENOMEM", ["the host has not so much free memory"]);
		domain.totalKiB += kib;
	}

	#grant(domain: SimDomain, { storeFrame, consoleFrame }: BuiltImage): void {
		const console = domain.findPage(consoleFrame);
		const store = domain.findPage(storeFrame);
		if (!console || !store) throw new TypeError("A built domain has its special pages");
		domain.grants.set(RESERVED_GRANTS.console, { page: console, to: DOM0, writable: true });
		domain.grants.set(RESERVED_GRANTS.xenstore, { page: store, to: DOM0, writable: true });
	}
}

function bootFacts({
	maxVcpus,
	storePort,
	consolePort,
}: BuildCommon): Pick<BuildCommon, "maxVcpus" | "storePort" | "consolePort"> {
	return { maxVcpus, storePort, consolePort };
}

async function readHead(path: string): Promise<{ path: string; bytes: number; head: Uint8Array }> {
	return openImage(path, async (file, bytes) => {
		const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
		return { path, bytes, head: buffer.subarray(0, bytesRead) };
	});
}

async function loadTable(path: string, place: number): Promise<LoadedTable> {
	const length = await openImage(path, async (_, bytes) => bytes);
	return { address: FIRST_TABLE * (1 + place), length };
}

/** @throws TypeError */
function checkContainer(memoryKiB: number, maxMemoryKiB: number): void {
	checkMiB(memoryKiB);
	checkMiB(maxMemoryKiB);
	if (memoryKiB > maxMemoryKiB) throw new TypeError("memoryKiB is more than maxMemoryKiB");
}

/** @throws TypeError */
function checkMiB(kib: number, least = 1024): void {
	if (!Number.isSafeInteger(kib) || kib < least || kib % 1024 !== 0) throw new TypeError("Memory must be whole MiB");
}
