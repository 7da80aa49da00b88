import type { XenstoreClient } from "@bulkhead/xenstore";

/** Where programs of tests keep their nodes. */
export const TEST_NODES = "/bulkhead-test";

/** Removes one of them, and the folder after the last. */
export async function forgetTestNode(store: XenstoreClient, path: string): Promise<void> {
	await store.remove(path);
	if ((await store.findList(TEST_NODES))?.length === 0) await store.remove(TEST_NODES);
}
