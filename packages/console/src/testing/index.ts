export { FakeDevices } from "./fake-devices.ts";
export { FakeFrontend } from "./fake-frontend.ts";
export { FakeRingHost, type SharedPage } from "./fake-ring-host.ts";
