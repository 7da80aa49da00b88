import { type ContentCache, DebianPackages, type PackageVersion } from "@bulkhead/image";
import { type DebianKernel, fetchDebianKernel } from "./debian-kernel.ts";
import { buildMinimalKernel, type MinimalKernel } from "./minimal-kernel.ts";

/** `minimal`: our own configuration of Debian's source. `debian`: its own as it is, with modules. */
export type StubKernelKind = "minimal" | "debian";

/** The kernel of an image. */
export type StubKernel = ({ kind: "minimal" } & MinimalKernel) | ({ kind: "debian" } & DebianKernel);

/** What the image is made of, in the cache. */
export interface StubPackages {
	kernel: StubKernel;
	/** Tree with QEMU and its libraries. */
	deviceModelTree: string;
	/** Every package, sorted by name. */
	packages: PackageVersion[];
}

export interface FetchOptions {
	release: string;
	kernel: StubKernelKind;
	cache: ContentCache;
	onProgress: (line: string) => void;
	signal?: AbortSignal;
}

/** QEMU, and the option ROMs that it recommends in some releases and depends on in others. */
const DEVICE_MODEL_PACKAGES = ["qemu-system-xen", "ipxe-qemu"] as const;

/** Fetches the packages and, for a minimal kernel that the cache lacks, builds it. */
export async function fetchStubPackages(options: FetchOptions): Promise<StubPackages> {
	const { release, cache, onProgress } = options;
	const debian = await DebianPackages.open({ release, cache, onProgress });
	const kernel = await getKernel(debian, options);
	const deviceModel = await debian.versions(DEVICE_MODEL_PACKAGES, { dependencies: true });
	return {
		kernel,
		deviceModelTree: await debian.unpack(DEVICE_MODEL_PACKAGES, { dependencies: true }),
		packages: [kernel.package, ...deviceModel].sort((a, b) => (a.name < b.name ? -1 : 1)),
	};
}

async function getKernel(debian: DebianPackages, options: FetchOptions): Promise<StubKernel> {
	const { kernel: kind, cache, onProgress, signal } = options;
	if (kind === "debian") return { kind, ...(await fetchDebianKernel(debian)) };
	return { kind, ...(await buildMinimalKernel({ debian, cache, onProgress, signal })) };
}
