/** Runs in dom0, against the real xenstored. */
import { runRows } from "./rows.ts";
import { xenstoreRows } from "./xenstore-rows.ts";

await runRows(xenstoreRows());
