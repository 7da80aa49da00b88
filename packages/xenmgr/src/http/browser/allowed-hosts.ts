import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

/** What a browser may call this server. Another name may be one that somebody points here (DNS rebinding). */
export type IsAllowedHost = (hostname: string) => boolean;

/** This machine's own names for itself: a forwarded port of any number is still named by one of them. */
export const isLoopbackHost: IsAllowedHost = (hostname) =>
	hostname === "localhost" || hostname === "[::1]" || /^127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/.test(hostname);

/** The names that the certificate is for, which browsers insist on anyway. */
export function namesOf(certificate: X509Certificate): IsAllowedHost {
	return (hostname) => {
		const address = hostname.replace(/^\[(.*)\]$/, "$1");
		return isIP(address) ? certificate.checkIP(address) !== undefined : certificate.checkHost(hostname) !== undefined;
	};
}

/** The hostname of a Host header, or undefined when it is none. */
export function hostnameOf(header: string | undefined): string | undefined {
	const [, name] = /^([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::[0-9]{1,5})?$/.exec(header ?? "") ?? [];
	return name?.toLowerCase();
}

/** Whether a request that changes something comes from this server's own page: browsers say so. */
export function isOwnOrigin(origin: string | undefined, host: string, scheme: "http" | "https"): boolean {
	return origin === `${scheme}://${host}`;
}
