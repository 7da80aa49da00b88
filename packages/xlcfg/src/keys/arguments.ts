import { InvalidInputError } from "@bulkhead/base";
import { XLCFG_LIMITS } from "../limits.ts";

export const MOST_ARGUMENTS: number = XLCFG_LIMITS.deviceModelArgs;

/** One argument of a program. @throws InvalidInputError */
export function checkArgument(text: string): string {
	if (text === "" || /\p{Cc}/u.test(text))
		throw new InvalidInputError("An argument is empty or has a control character");
	if (Buffer.byteLength(text) > XLCFG_LIMITS.deviceModelArgBytes)
		throw new InvalidInputError(`An argument is longer than ${XLCFG_LIMITS.deviceModelArgBytes} bytes`);
	return text;
}
