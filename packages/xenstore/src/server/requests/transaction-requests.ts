import { refuse } from "../refusal.ts";
import { Transaction } from "../transaction.ts";
import { acknowledge, type Call, onlyString, type RequestTable, reply } from "./call.ts";

function start(call: Call): void {
	const { client, server, transaction } = call;
	if (transaction) refuse("EBUSY");
	if (client.isUnprivileged && client.transactions.size > server.quotas.transactions) refuse("ENOSPC");
	reply(call, `${client.addTransaction(new Transaction(server, client))}\0`);
}

/** Whatever comes of it, the transaction is over, unless the verdict is neither. */
function end(call: Call): void {
	const verdict = onlyString(call);
	if (verdict !== "T" && verdict !== "F") refuse("EINVAL");
	const { client, transaction, request, weight } = call;
	if (!transaction) refuse("ENOENT");
	try {
		if (verdict === "T") transaction.commit(weight);
	} finally {
		client.removeTransaction(request.transactionId);
	}
	acknowledge(call);
}

export const TRANSACTION_REQUESTS: RequestTable<"TRANSACTION_START" | "TRANSACTION_END"> = {
	TRANSACTION_START: { handle: start },
	TRANSACTION_END: { handle: end },
};
