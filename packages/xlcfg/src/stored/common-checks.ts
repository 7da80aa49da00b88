import { type Uuid, uuid } from "@bulkhead/base";
import { guestNameProblem } from "../guest-name.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { checkSecurityLabel } from "../specs/access-specs.ts";
import { parseBackend } from "../specs/parameters.ts";
import { type Check, count, line, lineFor, refuseAt, runCheck } from "./shape.ts";

export const memoryKiB: Check<number> = count(XLCFG_LIMITS.leastMemoryMiB * 1024, XLCFG_LIMITS.mostMemoryMiB * 1024);
export const commandLine: Check<string> = line(XLCFG_LIMITS.commandLineBytes);
export const word: Check<string> = line(XLCFG_LIMITS.wordBytes);
export const text: Check<string> = line(XLCFG_LIMITS.lineBytes);
export const argument: Check<string> = line(XLCFG_LIMITS.deviceModelArgBytes);
export const securityLabel: Check<string> = lineFor(XLCFG_LIMITS.wordBytes, checkSecurityLabel);

/** Any domain but domain 0, which is left out. */
export const backend: Check<string> = (value, at) => {
	const name = word(value, at);
	return runCheck(at, () => parseBackend("The device", name)) ?? refuseAt(at, "is domain 0, and then it is left out");
};

export const path: Check<string> = (value, at) => {
	const absolute = line(XLCFG_LIMITS.pathBytes)(value, at);
	return absolute.startsWith("/") ? absolute : refuseAt(at, "is not an absolute path");
};

export const guestUuid: Check<Uuid> = (value, at) => {
	const id = line(36)(value, at);
	return /^[0-9a-f-]{36}$/.test(id) ? runCheck(at, () => uuid(id)) : refuseAt(at, "is not a uuid");
};

export const guestName: Check<string> = (value, at) => {
	const name = line(XLCFG_LIMITS.nameLength)(value, at);
	const problem = guestNameProblem(name);
	return problem === undefined ? name : refuseAt(at, `is no guest's name: ${problem}`);
};
