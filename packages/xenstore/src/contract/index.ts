export { contractRows, guestContractRows } from "./contract-rows.ts";
export { RawConnection } from "./raw-connection.ts";
export type { ContractRow, GuestConnection, ServerKind, XenstoreWorld } from "./world.ts";
