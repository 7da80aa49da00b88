import { atoi, atoiUnsigned } from "../c-integer.ts";
import { type Domain, domainPath } from "../domain.ts";
import { refuse } from "../refusal.ts";
import { acknowledge, type Call, onlyString, type RequestTable, reply, stringsOf } from "./call.ts";

/** xen.h */
const DOMID_SELF = 0x7ff0;

function introduce(call: Call): void {
	const [domid, frame, port] = stringsOf(call);
	if (domid === undefined || frame === undefined || port === undefined) refuse("EINVAL");
	if (atoi(port) === 0) refuse("EINVAL");
	call.server.introduce(atoiUnsigned(domid), { frame: Number.parseInt(frame, 10), port: atoiUnsigned(port) });
	acknowledge(call);
}

/** @throws Refusal ENOENT; EINVAL when it is only remembered */
function connectedDomain({ server }: Call, domid: number): Domain {
	const domain = server.domains.findIntroduced(domid) ?? refuse("ENOENT");
	if (domain.isGone) refuse("EINVAL");
	return domain;
}

/** Never domain 0. @throws Refusal EINVAL, ENOENT */
function namedDomain(call: Call): Domain {
	const domid = atoiUnsigned(onlyString(call));
	if (domid === 0) refuse("EINVAL");
	return connectedDomain(call, domid);
}

function release(call: Call): void {
	call.server.release(namedDomain(call));
	acknowledge(call);
}

function resume(call: Call): void {
	namedDomain(call).isShutdown = false;
	acknowledge(call);
}

function setTarget(call: Call): void {
	const [stub, guest] = stringsOf(call);
	if (stub === undefined || guest === undefined) refuse("EINVAL");
	const domain = connectedDomain(call, atoiUnsigned(stub));
	call.server.setTarget(domain, connectedDomain(call, atoiUnsigned(guest)));
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
