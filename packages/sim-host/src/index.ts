export type { Manners } from "./devices/block-front.ts";
export { patternByte } from "./guests/guest-shell.ts";
export { type SimKernelKind, simKernel } from "./images/sim-kernel.ts";
export { type SimImages, writeSimImages } from "./images/write-sim-images.ts";
export { type HostCounts, SimulatedHost, type SimulatedHostOptions } from "./simulated-host.ts";
export type { SimQemu } from "./stub/sim-qemu.ts";
export { type StubScript, WELL_BEHAVED } from "./stub/stub-script.ts";
