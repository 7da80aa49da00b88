export type { LabUpOptions } from "./boot-lab.ts";
export type { RemoteProgram } from "./dom0-connection.ts";
export { type ExecOptions, type ExecResult, LabConnectionError } from "./exec-result.ts";
export { Lab, type LabStatus } from "./lab.ts";
export type { LabDescription } from "./lab-state.ts";
export { LabBootError } from "./machine.ts";
