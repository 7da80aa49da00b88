/** Runs in dom0, against Xen's own vchan server and client. */
import { runRows } from "./rows.ts";
import { runVictim, vchanRows } from "./vchan-rows.ts";
import { vchanServerRows } from "./vchan-server-rows.ts";

if (process.argv[2] === "victim") await runVictim();
else await runRows([...vchanRows(), ...vchanServerRows(process.argv[2])]);
