import { BulkheadError } from "@bulkhead/base";
import { type DebianPackages, type PackageVersion, runProgram } from "@bulkhead/image";

/** Debian's kernel source of a release: the package that holds it, in the cache. */
export interface KernelSource {
	package: PackageVersion & { path: string };
}

const UNPACK_TIMEOUT_MS = 10 * 60_000;

/** What this kernel never compiles is most of the tree. Kconfig and Makefiles stay: the configuration reads them all. */
const LEFT_OUT = [
	"*/Documentation/*/*",
	...["*.[chS]", "*.dts", "*.dtsi"].map((files) => `*/arch/[a-wyz]*/${files}`),
	"*/tools/perf/*",
	"*/tools/testing/*",
	"*/sound/*.[ch]",
	...["gpu", "media", "net/ethernet", "net/wireless", "scsi", "staging", "infiniband", "usb", "iio"].map(
		(part) => `*/drivers/${part}/*.[ch]`,
	),
] as const;

/** As one stream, since the inner archive unpacks to ten times its size. */
const UNPACK = `set -o pipefail
deb=$1 member=$2 into=$3; shift 3
dpkg-deb --fsys-tarfile "$deb" | tar -x -O -f - "$member" | xz --decompress --threads=0 --stdout |
	tar -x -f - -C "$into" --strip-components=1 --no-same-owner "$@"`;

/** The source that the release's metapackage names today. @throws BulkheadError `kernel-not-found` */
export async function fetchKernelSource(debian: DebianPackages): Promise<KernelSource> {
	const closure = await debian.versions(["linux-source"], { dependencies: true });
	const found = closure.find(({ name }) => /^linux-source-\d/.test(name));
	const [fetched] = found ? await debian.fetch([found.name]) : [];
	if (!fetched)
		throw new BulkheadError("kernel-not-found", `linux-source of ${debian.release} names no kernel`, {
			fields: { release: debian.release },
		});
	return { package: fetched };
}

/** Unpacks into an existing folder. @throws ProgramFailedError, CancelledError */
export async function unpackKernelSource(source: KernelSource, dir: string, signal?: AbortSignal): Promise<void> {
	const { name, path } = source.package;
	const excludes = LEFT_OUT.map((pattern) => `--exclude=${pattern}`);
	await runProgram(["bash", "-c", UNPACK, "unpack", path, `./usr/src/${name}.tar.xz`, dir, ...excludes], {
		timeoutMs: UNPACK_TIMEOUT_MS,
		signal,
		group: true,
	});
}
