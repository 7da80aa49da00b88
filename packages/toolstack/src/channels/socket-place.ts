import { lstat, realpath, rm } from "node:fs/promises";
import { connect } from "node:net";
import { basename, dirname, join } from "node:path";
import { errnoOf, InvalidInputError } from "@bulkhead/base";

const STICKY = 0o1000;
const OTHERS_WRITE = 0o022;
/** A listener with a full backlog does not answer; one that is gone refuses at once. */
const ANSWER_MS = 500;

/** A path that a channel's socket may not have. Nothing has been made. */
export class SocketPlaceError extends InvalidInputError {
	constructor(path: string, why: string, remedy: string, cause?: unknown) {
		super(`The socket ${JSON.stringify(path)} ${why}`, { cause, remedy, fields: { path } }, "channel-unusable");
	}
}

/**
 * Where the socket of that path really lies. Every folder on the way, links followed, is root's (or ours) and nobody
 * else may change what it has: so nobody can lead us elsewhere between this look and the next. @throws SocketPlaceError
 */
export async function resolveSocketPath(path: string): Promise<string> {
	let folder: string;
	try {
		folder = await realpath(dirname(path));
	} catch (cause) {
		throw new SocketPlaceError(path, "is to lie in a folder that is not there", "Make the folder first", cause);
	}
	for (let at = folder; ; at = dirname(at)) {
		const { uid, mode } = await lstat(at);
		if (uid !== 0 && uid !== process.geteuid?.())
			throw new SocketPlaceError(path, `is to lie below ${at}, which is another user's`, "Choose a folder of root's");
		if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0)
			throw new SocketPlaceError(path, `is to lie below ${at}, which others may change`, "Choose a folder of root's");
		if (at === dirname(at)) return join(folder, basename(path));
	}
}

/**
 * Makes room for a socket: one that nobody listens on any more is removed. Something else, or a socket that is in use,
 * is left alone. @throws SocketPlaceError
 */
export async function clearSocketPlace(path: string): Promise<void> {
	const place = await findSocket(path);
	if (place === undefined) return;
	if (await isAnswered(place)) throw new SocketPlaceError(path, "is in use", "Choose another path");
	await rm(place, { force: true });
}

/** Removes what is left of a socket of ours; what is in use, or no socket, is left alone. */
export async function removeSocketFile(path: string): Promise<void> {
	try {
		const place = await findSocket(path);
		if (place !== undefined && !(await isAnswered(place))) await rm(place, { force: true });
	} catch (error) {
		if (!(error instanceof SocketPlaceError)) throw error;
	}
}

/** @throws SocketPlaceError when something else lies there */
async function findSocket(path: string): Promise<string | undefined> {
	const place = await resolveSocketPath(path);
	try {
		const { uid } = await lstat(place);
		if (!(await lstat(place)).isSocket() || (uid !== 0 && uid !== process.geteuid?.()))
			throw new SocketPlaceError(path, "has a place that something else has", "Choose another path, or remove it");
		return place;
	} catch (error) {
		if (errnoOf(error) === "ENOENT") return undefined;
		throw error;
	}
}

function isAnswered(path: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect({ path });
		const answer = (answered: boolean): void => {
			clearTimeout(timer);
			socket.destroy();
			resolve(answered);
		};
		const timer = setTimeout(() => answer(true), ANSWER_MS);
		socket.once("connect", () => answer(true));
		socket.once("error", (error) => answer(errnoOf(error) !== "ECONNREFUSED" && errnoOf(error) !== "ENOENT"));
	});
}
