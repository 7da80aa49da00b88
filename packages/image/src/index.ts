export { cacheRoot } from "./cache-root.ts";
export { type CacheInputs, ContentCache } from "./content-cache.ts";
export { hashFile, hashTree } from "./content-hash.ts";
export { writeCpioArchive } from "./cpio-archive.ts";
export { type CpioEntry, entriesFromTree } from "./cpio-entry.ts";
export {
	DebianPackages,
	type DebianPackagesOptions,
	PackageNotFoundError,
	type PackageVersion,
	type ResolveOptions,
} from "./debian-packages.ts";
export { machineRelease } from "./debian-release.ts";
export { type ClosureFile, elfClosure } from "./elf-closure.ts";
export { extractVmlinux } from "./extract-vmlinux.ts";
export { FileLock } from "./file-lock.ts";
export { ProgramFailedError, type RunOptions, type RunResult, runProgram } from "./run-program.ts";
export { findRealPathInTree } from "./tree-path.ts";
