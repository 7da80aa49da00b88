import { parseArgs } from "node:util";
import { BulkheadError, InvalidInputError } from "@bulkhead/base";
import { buildStubImage } from "./stub-image.ts";
import type { StubKernelKind } from "./stub-packages.ts";

const { values, positionals } = parseArgs({
	options: { kernel: { type: "string", default: "minimal" } },
	allowPositionals: true,
});
const [release] = positionals;
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupt.abort(new Error(signal)));

try {
	const { kernel, ramdisk, manifest } = await buildStubImage({
		...(release === undefined ? {} : { release }),
		kernel: kernelKind(values.kernel),
		onProgress: (line) => console.error(line),
		signal: interrupt.signal,
	});
	const mebibytes = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;
	console.log(`kernel   ${kernel}  ${mebibytes(manifest.kernel.sizeBytes)}  sha256 ${manifest.kernel.sha256}`);
	console.log(`ramdisk  ${ramdisk}  ${mebibytes(manifest.ramdisk.sizeBytes)}  sha256 ${manifest.ramdisk.sha256}`);
	console.log(`Linux ${manifest.kernelVersion}, qemu-system-xen ${manifest.qemuVersion}, Debian ${manifest.release}`);
	if (manifest.modules.length > 0) console.log(`modules  ${manifest.modules.join(" ")}`);
} catch (error) {
	if (!(error instanceof BulkheadError)) throw error;
	console.error(error.message);
	if (error.remedy !== undefined) console.error(error.remedy);
	process.exitCode = 1;
}

function kernelKind(text: string): StubKernelKind {
	if (text === "minimal" || text === "debian") return text;
	throw new InvalidInputError(`There is no kernel ${JSON.stringify(text)}`, { remedy: "Say minimal or debian" });
}
