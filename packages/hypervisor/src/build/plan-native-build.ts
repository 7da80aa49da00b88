import { join } from "node:path";
import { NATIVE_TARGETS } from "./native-targets.ts";

export interface NativeBuildPlaces {
	/** native/ of this package. */
	sourceDir: string;
	/** For objects; they can be thrown away. */
	objectDir: string;
	outDir: string;
	/** Node's own headers: node_api.h, uv.h. */
	nodeHeaders: string;
	/** node-addon-api's folder: napi.h. */
	addonApiHeaders: string;
	/** An unpacked tree of libxen-dev and the libraries; the machine's own when absent. */
	sysroot?: string;
	/** "x86_64-linux-gnu": where Debian keeps libraries. */
	multiarch: string;
}

/** A compiler call: `output` is made from the files named in `args`. */
export interface CompilerCall {
	output: string;
	args: string[];
}

export interface NativeBuildPlan {
	/** Independent of one another. */
	compile: CompilerCall[];
	/** After all of the first. */
	link: CompilerCall[];
}

const COMPILE_FLAGS = [
	// Xen's headers need the GNU dialect (xen/hvm/save.h).
	"-std=gnu++20",
	"-O2",
	"-fPIC",
	"-fvisibility=hidden",
	"-fstack-protector-strong",
	"-D_FORTIFY_SOURCE=2",
	"-Wall",
	"-Wextra",
	"-Werror",
	"-DNAPI_VERSION=8",
	"-DNAPI_CPP_EXCEPTIONS",
	// A result that arrives while its Worker ends can no longer be told to anyone; by default that aborts the process.
	"-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
];

/** The compiler calls that make the addons; nothing is run. */
export function planNativeBuild(places: NativeBuildPlaces): NativeBuildPlan {
	const { sourceDir, objectDir, outDir, nodeHeaders, addonApiHeaders, sysroot, multiarch } = places;
	// As system headers, so that -Werror speaks of our own files only.
	const headers = [nodeHeaders, addonApiHeaders, ...(sysroot ? [join(sysroot, "usr/include")] : [])];
	const includes = headers.flatMap((folder) => ["-isystem", folder]);
	const libraryDir = sysroot && join(sysroot, "usr/lib", multiarch);
	// The libraries need each other: -rpath-link finds them at link time, nothing of it is recorded.
	const search = libraryDir ? [`-L${libraryDir}`, `-Wl,-rpath-link,${libraryDir}`] : [];

	const names = new Set<string>(Object.values(NATIVE_TARGETS).flatMap(({ sources }) => [...sources]));
	const object = (name: string): string => join(objectDir, `${name}.o`);
	return {
		compile: [...names].map((name) => ({
			output: object(name),
			args: [...COMPILE_FLAGS, ...includes, "-c", join(sourceDir, `${name}.cc`), "-o", object(name)],
		})),
		link: Object.entries(NATIVE_TARGETS).map(([target, { sources, libraries }]) => {
			const output = join(outDir, `${target}.node`);
			const inputs = sources.map(object);
			const wanted = libraries.map((library) => `-l${library}`);
			return {
				output,
				// Node's own symbols are found when the addon is loaded; the C++ runtime is Node's neighbour anyway.
				args: ["-shared", "-Wl,-z,relro,-z,now", "-s", "-o", output, ...inputs, ...search, ...wanted],
			};
		}),
	};
}
