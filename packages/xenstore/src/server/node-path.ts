const ALPHABET = /^[A-Za-z0-9\-/_@]+$/;
/** What xenstored's `%5u` takes: five characters, a minus included. */
const DOMAIN_PREFIX = /^\/local\/domain\/(?:\d{1,5}|-\d{1,4})\//;

/** xenstored's own rule for the names of nodes (is_valid_nodename), which is not quite that of docs/misc/xenstore.txt. */
export function isNodePath(path: string, limit: number): boolean {
	if (!path.startsWith("/")) return false;
	if (path.length > 1 && path.endsWith("/")) return false;
	if (path.includes("//")) return false;
	if (path.length > limit) {
		const prefix = DOMAIN_PREFIX.exec(path)?.[0].length ?? 0;
		if (path.length > prefix + limit) return false;
	}
	return ALPHABET.test(path);
}

/** Of "/" it is "/". */
export function parentOf(path: string): string {
	return path.slice(0, path.lastIndexOf("/")) || "/";
}

export function nameOf(path: string): string {
	return path.slice(path.lastIndexOf("/") + 1);
}

export function childOf(path: string, name: string): string {
	return path === "/" ? `/${name}` : `${path}/${name}`;
}

/** Absolute paths and special names stay, others begin at the client's own. */
export function canonicalPath(path: string, ownPath: string): string {
	return path.startsWith("/") || path.startsWith("@") ? path : `${ownPath}/${path}`;
}
