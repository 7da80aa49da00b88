export type { HostView } from "./host-view.ts";
export { DEFAULT_QUOTAS, type Quotas } from "./quotas.ts";
export { type ServerCounts, XenstoreServer, type XenstoreServerOptions } from "./xenstore-server.ts";
export type { Ring } from "./xenstored.ts";
