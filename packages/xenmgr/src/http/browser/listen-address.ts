import { isIP } from "node:net";
import { InvalidInputError, isLoopback } from "@bulkhead/base";

/** Where browsers are served. */
export interface ListenAddress {
	/** An IP address, without brackets. */
	host: string;
	port: number;
	isLoopback: boolean;
}

/** "127.0.0.1:8006", "[::1]:8006"; port 0 is any free one. @throws InvalidInputError */
export function parseListenAddress(text: string): ListenAddress {
	const [, bracketed, plain, digits = ""] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text) ?? [];
	const host = bracketed ?? plain ?? "";
	const port = Number(digits);
	if (digits === "" || isIP(host) !== (bracketed === undefined ? 4 : 6) || port > 65_535)
		throw new InvalidInputError(`Option --http-listen=${text} is no address with a port`, {
			remedy: "Write it as 127.0.0.1:8006, or as [::1]:8006",
		});
	return { host, port, isLoopback: isLoopback(host) };
}

/** An address as the host of a URL. */
export const urlHost = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);
