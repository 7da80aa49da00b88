export { type OpenVchanClient, openVacantVchanClient, openVchanClient, VchanClient } from "./client.ts";
export { VchanEndpoint, type VchanStats } from "./endpoint.ts";
export { VchanClosedError } from "./errors.ts";
export { type ChannelLayout, LIVE, NOTIFY, OFFSET, PAGE_BYTES, type RingPlace, readLayout } from "./layout.ts";
export { RingConsumer, type RingMemory, RingProducer } from "./ring.ts";
export { type OpenVchanServer, openVchanServer, VchanServer, VchanSession } from "./server.ts";
