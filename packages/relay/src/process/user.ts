import { findUser, InvalidInputError, type User } from "@bulkhead/base";

export type { User };

/** @throws InvalidInputError when there is no such user */
export function getUser(name: string, passwd?: string): User {
	const user = findUser(name, passwd);
	if (user) return user;
	throw new InvalidInputError(`There is no user ${JSON.stringify(name)}`, {
		remedy: "Make a system user for the relay, or name another with --user",
	});
}
