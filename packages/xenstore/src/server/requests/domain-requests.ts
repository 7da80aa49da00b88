import { atoi, atoiUnsigned } from "../c-integer.ts";
import { type Domain, domainPath } from "../domain.ts";
import { refuse } from "../refusal.ts";
import { acknowledge, type Call, onlyString, type RequestTable, reply, stringsOf } from "./call.ts";

/** xen.h */
const DOMID_SELF = 0x7ff0;

function introduce(call: Call): void {
	const [domid, frame, port] = stringsOf(call);
	if (domid === undefined || frame === undefined || port === undefined) refuse("EINVAL");
	if (atoi(port) <= 0) refuse("EINVAL");
	call.server.introduce(atoiUnsigned(domid), { frame: Number.parseInt(frame, 10), port: atoi(port) });
	acknowledge(call);
}

/** Never domain 0. @throws Refusal EINVAL, ENOENT */
function introducedDomain(call: Call): Domain {
	const domid = atoiUnsigned(onlyString(call));
	if (domid === 0) refuse("EINVAL");
	return call.server.domains.findIntroduced(domid) ?? refuse("ENOENT");
}

function release(call: Call): void {
	call.server.release(introducedDomain(call));
	acknowledge(call);
}

function resume(call: Call): void {
	introducedDomain(call).isShutdown = false;
	acknowledge(call);
}

function setTarget(call: Call): void {
	const [stub, guest] = stringsOf(call);
	if (stub === undefined || guest === undefined) refuse("EINVAL");
	const { domains } = call.server;
	const domain = domains.findIntroduced(atoiUnsigned(stub)) ?? refuse("ENOENT");
	const target = domains.findIntroduced(atoiUnsigned(guest)) ?? refuse("ENOENT");
	call.server.setTarget(domain, target);
	acknowledge(call);
}

/** Whether there is such a domain or not. */
function getDomainPath(call: Call): void {
	reply(call, `${domainPath(atoiUnsigned(onlyString(call)))}\0`);
}

function isDomainIntroduced(call: Call): void {
	const domid = atoiUnsigned(onlyString(call));
	const isIntroduced = domid === DOMID_SELF || call.server.domains.findIntroduced(domid) !== undefined;
	reply(call, isIntroduced ? "T\0" : "F\0");
}

export const DOMAIN_REQUESTS: RequestTable<
	"INTRODUCE" | "RELEASE" | "RESUME" | "SET_TARGET" | "IS_DOMAIN_INTRODUCED" | "GET_DOMAIN_PATH"
> = {
	INTRODUCE: { handle: introduce, isPrivileged: true },
	RELEASE: { handle: release, isPrivileged: true },
	RESUME: { handle: resume, isPrivileged: true },
	SET_TARGET: { handle: setTarget, isPrivileged: true },
	IS_DOMAIN_INTRODUCED: { handle: isDomainIntroduced, isPrivileged: true },
	GET_DOMAIN_PATH: { handle: getDomainPath },
};
