export { type DebianKernel, fetchDebianKernel } from "./debian-kernel.ts";
export {
	DEBIAN_STUB_MEMORY_MIB,
	RECOMMENDED_STUB_MEMORY_MIB,
	STUB_KERNEL_COMMAND_LINE,
	STUB_TEST_KERNEL_COMMAND_LINE,
} from "./kernel-command-line.ts";
export { type KernelModule, ModuleNotFoundError, planModules } from "./kernel-modules.ts";
export { buildStubImage, type StubImage, type StubImageManifest, type StubImageOptions } from "./stub-image.ts";
export type { StubKernelKind } from "./stub-packages.ts";
export { buildBzImage, buildGzipRamdisk } from "./variants.ts";
