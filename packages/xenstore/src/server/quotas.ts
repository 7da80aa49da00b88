/**
 * What one unprivileged domain may use, by the names that `xenstore-control quota` knows (xenstored 4.17). Domain 0 has
 * no limits.
 */
export interface Quotas {
	/** Nodes that it owns. */
	nodes: number;
	/** Watches; one more than this is still taken. */
	watches: number;
	/** Transactions open at a time; one more than this is still started. */
	transactions: number;
	/** Requests whose answers, or watch events at other domains, have not been read. Above it, it is not listened to. */
	outstanding: number;
	/** Nodes that one transaction has touched. */
	"transaction-nodes": number;
	/** Bytes for nodes, watches, transactions and unread answers. Above it, it is not listened to. 0: no limit. */
	memory: number;
	/** Bytes of a node's record: 24, 8 for each permission, value, names of the children. Must stay below. */
	"node-size": number;
	/** Bytes of a path, behind /local/domain/<domid>/ where it begins so. Holds for domain 0 too. */
	"path-max": number;
	/** Permissions in one request. */
	permissions: number;
}

export const DEFAULT_QUOTAS: Readonly<Quotas> = {
	nodes: 1000,
	watches: 128,
	transactions: 10,
	outstanding: 20,
	"transaction-nodes": 1024,
	memory: 2 * 1024 * 1024 + 512 * 1024,
	"node-size": 2048,
	"path-max": 2048,
	permissions: 5,
};

/** Above this xenstored writes a warning to its log. Bytes. */
export const DEFAULT_SOFT_MEMORY: number = 2 * 1024 * 1024;
