export { ConsoleTable, type ConsoleTableOptions } from "./console/console-table.ts";
export { dialQmp } from "./qmp/dial-qmp.ts";
export type { QmpConnection, QmpDialer, QmpEvent, QmpPlace } from "./qmp/qmp-dialer.ts";
export { DEFAULT_QMP_POLICY, type QmpPolicy } from "./qmp/qmp-policy.ts";
export { Relay, type RelayOptions } from "./relay.ts";
export type { RelayLog } from "./relay-log.ts";
