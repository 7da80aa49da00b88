import { type DomId, InvalidInputError } from "@bulkhead/base";
import type { DeviceModelConfig } from "@bulkhead/xlcfg";
import type { Account } from "./accounts.ts";

/** Names that libxl looks up too (docs/features/qemu-deprivilege.pandoc). */
const RANGE_BASE = "xen-qemuuser-range-base";
const SHARED = "xen-qemuuser-shared";

/** As whom a QEMU in domain 0 runs. */
export interface QemuUser {
	/** For QEMU's -runas. */
	runAs: string;
	uid: number;
	/** Nobody else has this uid, so whatever has it goes with the guest. */
	isGuestsOwn: boolean;
}

/**
 * Chooses the user of a guest's QEMU (libxl__domain_get_device_model_uid): the one that the config names; for a
 * restricted one a uid of the guest's own out of a range, or a user that all of them share. Undefined: root.
 * @throws InvalidInputError `device-model-user`
 */
export function chooseQemuUser(
	{ user, restrict }: Pick<DeviceModelConfig, "user" | "restrict">,
	guest: DomId,
	accounts: readonly Account[],
): QemuUser | undefined {
	const find = (name: string): Account | undefined => accounts.find((account) => account.name === name);
	if (user !== undefined) {
		const account = find(user);
		if (!account) throw unusable(`There is no user ${JSON.stringify(user)} (device_model_user)`, "Create it");
		return notRoot({ runAs: user, uid: account.uid, isGuestsOwn: false });
	}
	if (!restrict) return undefined;
	const base = find(RANGE_BASE);
	if (base) return notRoot(ownUser(base, guest, accounts));
	const shared = find(SHARED);
	if (shared) return notRoot({ runAs: SHARED, uid: shared.uid, isGuestsOwn: false });
	throw unusable(
		`No user of this host is set apart for restricted QEMUs (dm_restrict): neither ${RANGE_BASE} nor ${SHARED}`,
		`Create ${RANGE_BASE}: adduser --system --no-create-home --group --uid 131072 ${RANGE_BASE}`,
	);
}

function ownUser(base: Account, guest: DomId, accounts: readonly Account[]): QemuUser {
	const uid = base.uid + guest;
	const owner = accounts.find((account) => account.uid === uid && account !== base);
	if (owner)
		throw unusable(
			`The uid ${uid} of domain ${guest}'s QEMU is user ${owner.name}'s`,
			`Give ${RANGE_BASE} a uid with 32752 free ones above it`,
		);
	return { runAs: `${uid}:${base.gid}`, uid, isGuestsOwn: true };
}

function notRoot(user: QemuUser): QemuUser {
	if (user.uid === 0) throw unusable("The device model's user is root", "Name another one");
	return user;
}

const unusable = (message: string, remedy: string): InvalidInputError =>
	new InvalidInputError(message, { remedy }, "device-model-user");
