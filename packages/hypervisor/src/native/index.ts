export { openGrantOffers } from "./grant-offers.ts";
export { openHypervisor } from "./open-hypervisor.ts";
export { openRingHost } from "./open-ring-host.ts";
export { NativeSysfs } from "./sysfs.ts";
