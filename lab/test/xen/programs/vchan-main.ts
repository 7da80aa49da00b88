/** Runs in dom0, against Xen's own vchan server. */
import { runRows } from "./rows.ts";
import { runVictim, vchanRows } from "./vchan-rows.ts";

if (process.argv[2] === "victim") await runVictim();
else await runRows(vchanRows());
