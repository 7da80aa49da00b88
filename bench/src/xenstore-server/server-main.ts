import { XenstoreServer } from "@bulkhead/xenstore/server";

/** The in-memory xenstored in a process of its own. Asked for its memory, it collects its garbage and tells. */
const [path = ""] = process.argv.slice(2);
await XenstoreServer.listen(path);
process.on("message", () => {
	globalThis.gc?.();
	const { rss, heapUsed } = process.memoryUsage();
	process.send?.({ rssBytes: rss, heapBytes: heapUsed });
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
