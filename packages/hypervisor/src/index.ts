export { HypervisorError } from "./errors.ts";
export * from "./ports/cpus.ts";
export * from "./ports/domains.ts";
export type * from "./ports/event-channels.ts";
export type * from "./ports/foreign-memory.ts";
export type * from "./ports/grants.ts";
export * from "./ports/guest-builder.ts";
export type * from "./ports/host-devices.ts";
export type * from "./ports/hypervisor.ts";
