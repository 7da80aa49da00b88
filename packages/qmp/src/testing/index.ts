export { connectedPair } from "./connected-pair.ts";
export { FakeQemu, type FakeQemuOptions, FakeRefusal } from "./fake-qemu.ts";
