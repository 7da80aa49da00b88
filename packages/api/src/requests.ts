/** Body of POST /guests. */
export interface CreateGuestRequest {
	/** xl.cfg text. */
	configText: string;
	/** The file's name, for messages only. */
	file: string;
	/** Absolute; relative paths of the config start here. */
	baseDir: string;
	/** "key=value", each as if appended to the file. */
	overrides: string[];
	/** Leave the guest paused. */
	paused: boolean;
	/** Check and plan only. */
	dryRun: boolean;
}

/** Body of POST /guests/{ref}/shutdown. */
export interface ShutdownRequest {
	/** Answer only when the guest's domain has ended, or after timeoutMs with an error. */
	wait: boolean;
	timeoutMs: number;
	/** Destroy a guest that does not end in time; only with `wait`. */
	force: boolean;
}

/** Body of POST /guests/{ref}/rename. */
export interface RenameRequest {
	name: string;
}

/** Body of POST /guests/{ref}/dump-core. */
export interface DumpCoreRequest {
	/** An absolute path of domain 0's that does not exist yet. */
	path: string;
}

/** Body of POST /guests/{ref}/qmp. */
export interface QmpRequest {
	command: string;
	arguments?: Record<string, unknown>;
	timeoutMs: number;
}

/** Body of POST /guests/{ref}/nics. */
export interface AttachNicRequest {
	/** As in xl.cfg's vif list: "mac=…,bridge=…". Empty: all by default. */
	spec: string;
}
