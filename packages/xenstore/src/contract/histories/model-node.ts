/** A node of the model. */
export interface ModelNode {
	value: string;
	/** As on the wire: the owner's first. Those of domains that do not exist are kept and mean nothing. */
	permissions: string[];
	children: string[];
	/** Another one after every change. */
	version: number;
}

/** The tree, or one transaction's copies of its nodes. */
export type ModelTree = Map<string, ModelNode | undefined>;

export function parentPath(path: string): string {
	return path.split("/").slice(0, -1).join("/") || "/";
}

export function lastName(path: string): string {
	return path.split("/").at(-1) ?? "";
}

/** docs/misc/xenstore.txt, with xenstored 4.17's own limit of 2048 bytes behind /local/domain/<domid>/. */
export function isGoodPath(path: string): boolean {
	const length = path.replace(/^\/local\/domain\/\d{1,5}\//, "").length;
	return /^(\/|(\/[A-Za-z0-9@_-]+)+)$/.test(path) && length <= 2048;
}

export interface ModelClient {
	domid: number;
	/** Whose rights it has too. */
	target: number | undefined;
}

/** True when the client may do all of it: letters `r`, `w`, and `o` for what only owners may. */
export function may({ domid, target }: ModelClient, wanted: string, permissions: readonly string[]): boolean {
	const rights = rightsOf({ domid, target }, permissions);
	return wanted.split("").every((letter) => rights.includes(letter));
}

export function rightsOf({ domid, target }: ModelClient, [first = "", ...others]: readonly string[]): string {
	const isMe = (text: string): boolean => [domid, target].includes(Number(text.slice(1)));
	if (domid === 0 || isMe(first)) return "rwo";
	return { n: "", r: "r", w: "w", b: "rw" }[(others.find(isMe) ?? first).slice(0, 1)] ?? "";
}
