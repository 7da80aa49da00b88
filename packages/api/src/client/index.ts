export type * from "../channels.ts";
export type { AttachDiskRequest, ChangeMediumRequest, DiskResult, GuestDisk } from "../disks.ts";
export type * from "../documents.ts";
export { API } from "../protocol.ts";
export { RELAY_PATHS } from "../relay/limits.ts";
export type * from "../requests.ts";
export type * from "../tuning.ts";
export { ApiClient, type ApiClientOptions, type OperationOptions } from "./api-client.ts";
export { ApiError } from "./api-error.ts";
