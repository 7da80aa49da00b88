/** The object without the fields that are undefined, as a config is stored and compared. */
export function defined<T extends object>(fields: { [Key in keyof T]: T[Key] | undefined }): T {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
