/** Runs in dom0: `node rows.mjs UUID`, a running guest with a shell on its PV console. */
import { hostileConsoleRows } from "./hostile-console-rows.ts";
import { runRows } from "./rows.ts";

await runRows(hostileConsoleRows(process.argv[2] ?? ""));
