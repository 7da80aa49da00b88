import { LIMITS } from "../../wire/limits.ts";
import { atoiUnsigned } from "../c-integer.ts";
import type { Children } from "../children.ts";
import { parentOf } from "../node-path.ts";
import { changeNode, createNode, findNode, getNode, type Looker, removeTree } from "../nodes.ts";
import { ACCESS, accessFor, formatPermissions, type Permissions, parsePermission } from "../permissions.ts";
import { refuse } from "../refusal.ts";
import {
	absolute,
	acknowledge,
	type Call,
	isSpecial,
	onlyString,
	type RequestTable,
	reply,
	stringsOf,
} from "./call.ts";

const NUL = 0;

function looker({ view, client, server }: Call): Looker {
	return { view, client, pathLimit: server.quotas["path-max"] };
}

function directory(call: Call): void {
	const { children } = getNode(looker(call), absolute(call, onlyString(call)), ACCESS.read);
	if (children.byteLength > LIMITS.payload) refuse("E2BIG");
	reply(call, children.toList());
}

/** The generation, then whole names from a byte offset on; behind the last one an empty name. */
function directoryPart(call: Call): void {
	const strings = stringsOf(call);
	if (strings.length !== 2) refuse("EINVAL");
	const [path = "", offsetText = ""] = strings;
	const { children, generation } = getNode(looker(call), absolute(call, path), ACCESS.read);
	const head = `${generation}\0`;
	const offset = atoiUnsigned(offsetText);
	reply(call, head + partOfList(children, offset, LIMITS.payload - head.length - 1));
}

function partOfList(children: Children, offset: number, room: number): string {
	if (offset >= children.byteLength) return "\0";
	const list = children.toList();
	if (list.length - offset <= room) return `${list.slice(offset)}\0`;
	return list.slice(offset, list.lastIndexOf("\0", offset + room - 1) + 1);
}

function read(call: Call): void {
	reply(call, getNode(looker(call), absolute(call, onlyString(call)), ACCESS.read).value);
}

function write(call: Call): void {
	const { payload } = call.request;
	const end = payload.indexOf(NUL);
	if (end === -1) refuse("EINVAL");
	const path = absolute(call, payload.toString("latin1", 0, end));
	const value = payload.toString("latin1", end + 1);
	const node = findNode(looker(call), path, ACCESS.write);
	if (node) {
		const { permissions, children } = node;
		changeNode(looker(call), path, { permissions, value, children });
		call.view.fire({ path, isExact: false, node });
	} else {
		createNode(looker(call), path, value);
	}
	acknowledge(call);
}

function mkdir(call: Call): void {
	const path = absolute(call, onlyString(call));
	if (!findNode(looker(call), path, ACCESS.write)) createNode(looker(call), path, "");
	acknowledge(call);
}

/** What is not there may be removed, if the node above is there. */
function rm(call: Call): void {
	const path = absolute(call, onlyString(call));
	if (findNode(looker(call), path, ACCESS.write)) {
		if (path === "/") refuse("EINVAL");
		removeTree(call.view, path);
	} else if (!call.view.find(parentOf(path))) {
		refuse("ENOENT");
	}
	acknowledge(call);
}

function getPermissions(call: Call): void {
	const { permissions } = getNode(looker(call), absolute(call, onlyString(call)), ACCESS.read);
	reply(call, formatPermissions(permissions));
}

function setPermissions(call: Call): void {
	const { server, client } = call;
	const [name = "", ...texts] = stringsOf(call);
	if (texts.length === 0) refuse("EINVAL");
	if (client.isUnprivileged && texts.length > server.quotas.permissions) refuse("ENOSPC");
	const parsed = texts.map(parsePermission) as unknown as Permissions;
	const permissions = server.domains.markStrangers(parsed);
	if (permissions[0].isIgnored) refuse("ENOENT");
	if (isSpecial(name)) setSpecialPermissions(call, name, permissions);
	else setNodePermissions(call, absolute(call, name), permissions);
	acknowledge(call);
}

function setNodePermissions(call: Call, path: string, permissions: Permissions): void {
	const { client, view } = call;
	const node = getNode(looker(call), path, ACCESS.write | ACCESS.owner);
	const { permissions: oldPermissions, value, children } = node;
	if (client.isUnprivileged && permissions[0].domid !== oldPermissions[0].domid) refuse("EPERM");
	changeNode(looker(call), path, { permissions, value, children });
	view.fire({ path, isExact: false, node: { permissions, value, children }, oldPermissions });
}

/** Who may hear of @introduceDomain and @releaseDomain. */
function setSpecialPermissions(call: Call, name: string, permissions: Permissions): void {
	const { watches } = call.server;
	const current = watches.specialPermissions(name) ?? refuse("EINVAL");
	const wanted = ACCESS.write | ACCESS.owner;
	if ((accessFor(call.client, current) & wanted) !== wanted) refuse("EACCES");
	watches.setSpecialPermissions(name, permissions);
}

export const NODE_REQUESTS: RequestTable<
	"DIRECTORY" | "DIRECTORY_PART" | "READ" | "WRITE" | "MKDIR" | "RM" | "GET_PERMS" | "SET_PERMS"
> = {
	DIRECTORY: { handle: directory },
	DIRECTORY_PART: { handle: directoryPart },
	READ: { handle: read },
	WRITE: { handle: write },
	MKDIR: { handle: mkdir },
	RM: { handle: rm },
	GET_PERMS: { handle: getPermissions },
	SET_PERMS: { handle: setPermissions },
};
