import { DOM0 } from "@bulkhead/base";
import type { BuildCommon, BuildHvm, BuildPv, BuiltImage, GuestBuilder } from "../../ports/guest-builder.ts";
import { checkDomid } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { SimDomain } from "../domains/sim-domain.ts";
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
			const facts = await openImage(kernel, readKernel);
			const initrd =
				ramdisk &&
				(await openImage(ramdisk, async (file, bytes) => {
					const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
					return { path: ramdisk, bytes, head: buffer.subarray(0, bytesRead) };
				}));
			const first = this.#parts.host.takeFrames(memoryKiB / PAGE_KIB);
			const built = { storeFrame: first + PV_PAGES.store, consoleFrame: first + PV_PAGES.console };
			return {
				built,
				settle: () => {
					this.#populate(domain, memoryKiB);
					domain.addFrames(first, memoryKiB / PAGE_KIB);
					const common = { ...bootFacts(request), ...built, memoryKiB };
					domain.image = { type: "pv", kernel, ...facts, commandLine, ramdisk: initrd || undefined, ...common };
				},
			};
		});
	}

	async buildHvm(request: BuildHvm): Promise<BuiltImage> {
		const { firmware, bios, maxMemoryKiB, videoMemoryKiB, maxVcpus } = request;
		checkMiB(maxMemoryKiB);
		checkMiB(videoMemoryKiB, 0);
		const ramKiB = maxMemoryKiB - videoMemoryKiB;
		if (ramKiB <= 0) throw new TypeError("videoMemoryKiB must leave some memory");
		return this.#build("buildHvm", request, firmware, "hvm", async (domain) => {
			for (const path of [firmware, bios]) await openImage(path, async () => {});
			const built = { storeFrame: HVM_FRAMES.store, consoleFrame: HVM_FRAMES.console };
			return {
				built,
				settle: () => {
					this.#populate(domain, ramKiB + HVM_FRAMES.specialCount * PAGE_KIB);
					domain.addFrames(0, ramKiB / PAGE_KIB);
					domain.addFrames(HVM_FRAMES.special, HVM_FRAMES.specialCount);
					const page = domain.findPage(HVM_INFO_FRAME);
					if (page) writeHvmInfo(page.bytes, { vcpus: maxVcpus, ramPages: ramKiB / PAGE_KIB });
					domain.image = { type: "hvm", firmware, bios, ...bootFacts(request), ...built, memoryKiB: ramKiB };
				},
			};
		});
	}

	#build(
		name: string,
		request: BuildCommon,
		image: string,
		type: "pv" | "hvm",
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

/** @throws TypeError */
function checkMiB(kib: number, least = 1024): void {
	if (!Number.isSafeInteger(kib) || kib < least || kib % 1024 !== 0) throw new TypeError("Memory must be whole MiB");
}
