export { runDaemon } from "./daemon.ts";
export { type DaemonOptions, parseOptions } from "./options.ts";
export { type SimulatedRelay, startSimulatedRelay } from "./simulated/simulated-relay.ts";
