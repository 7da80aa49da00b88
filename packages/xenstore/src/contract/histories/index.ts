export { clientCount, describeStep, domidOf, type HistoryShape, type Step } from "./history.ts";
export { CHOICES_PER_STEP, makeStep, randomHistory } from "./make-history.ts";
export { type ConnectAs, runHistory } from "./run-history.ts";
export { seededNumbers } from "./seeded-numbers.ts";
export { type Answer, type WatchEvent, WireClient } from "./wire-client.ts";
