import { isNodePath } from "../node-path.ts";
import { refuse } from "../refusal.ts";
import { relativePath } from "../watch-table.ts";
import {
	absolute,
	acknowledge,
	type Call,
	isSpecial,
	LONGEST_SPECIAL_NAME,
	type RequestTable,
	stringsOf,
} from "./call.ts";

/** A path and a token, no less and no more: 4.17 knows no depth. */
function pathAndToken(call: Call): [string, string] {
	const strings = stringsOf(call);
	const [path, token] = strings;
	if (strings.length !== 2 || path === undefined || token === undefined) refuse("EINVAL");
	return [path, token];
}

/** The answer comes first, then the watch's first event. */
function watch(call: Call): void {
	const { client, server } = call;
	const [given, token] = pathAndToken(call);
	const path = absolute(call, given);
	const isGood = isSpecial(path) ? path.length <= LONGEST_SPECIAL_NAME : isNodePath(path, server.quotas["path-max"]);
	if (!isGood) refuse("EINVAL");
	if (client.findWatch(path, token)) refuse("EEXIST");
	if (client.isUnprivileged) {
		if (client.account.watches > server.quotas.watches) refuse("E2BIG");
		if (server.isOverMemory(client.account, path.length + token.length)) refuse("ENOMEM");
	}
	const hidden = path === given ? 0 : client.ownPath.length;
	client.addWatch(path, token, hidden);
	acknowledge(call);
	client.sendEvent(relativePath(path, hidden), token, undefined);
}

function unwatch(call: Call): void {
	const [given, token] = pathAndToken(call);
	const found = call.client.findWatch(absolute(call, given), token) ?? refuse("ENOENT");
	call.client.removeWatch(found);
	acknowledge(call);
}

function resetWatches(call: Call): void {
	call.client.clearWatches();
	call.client.clearTransactions();
	acknowledge(call);
}

export const WATCH_REQUESTS: RequestTable<"WATCH" | "UNWATCH" | "RESET_WATCHES"> = {
	WATCH: { handle: watch, ignoresTransaction: true },
	UNWATCH: { handle: unwatch, ignoresTransaction: true },
	RESET_WATCHES: { handle: resetWatches },
};
