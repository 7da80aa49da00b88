import { BlockList, isIPv6 } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether an IP address, without brackets, is this host's alone: what is plain there crosses no network. */
export function isLoopback(address: string): boolean {
	return LOOPBACK.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
