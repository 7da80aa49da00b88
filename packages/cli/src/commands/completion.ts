import type { Command } from "commander";

/**
 * Guests' names for the shell. Bash expands the words that it is given, so a name that is more than a plain word is
 * left out.
 */
const GUEST_NAMES = "$(bulkhead list --names 2>/dev/null | grep -x '[A-Za-z0-9_.+@-]*')";

/** Commands whose arguments are not guests. */
const NO_GUESTS: ReadonlySet<string> = new Set([
	"create",
	"config",
	"info",
	"dmesg",
	"doctor",
	"debug-keys",
	"cpupool-list",
	"cpupool-create",
	"cpupool-destroy",
	"cpupool-cpu-add",
	"cpupool-cpu-remove",
	"pci-assignable-list",
	"pci-assignable-add",
	"pci-assignable-remove",
	"completion",
	"help",
]);

interface Words {
	name: string;
	summary: string;
	/** Commands within it: `config check`. */
	parts: string[];
	options: string[];
	guests: boolean;
}

/** A script for the shell, made from the commands as they are defined. */
export function completionScript(program: Command, shell: "bash" | "zsh" | "fish"): string {
	const commands = program.commands.map(
		(command): Words => ({
			name: command.name(),
			summary: command.summary() || command.description(),
			parts: command.commands.map((part) => part.name()),
			options: [command, ...command.commands].flatMap(longOptions),
			guests: !NO_GUESTS.has(command.name()),
		}),
	);
	return { bash, zsh, fish }[shell](commands, [...longOptions(program), "--help"]);
}

function longOptions(command: Command): string[] {
	return command.options.flatMap(({ long }) => (long ? [long] : []));
}

function bash(commands: readonly Words[], globals: readonly string[]): string {
	const cases = commands.map(({ name, parts, options, guests }) => {
		const words = `"${[...parts, ...globals, ...options].join(" ")}${guests ? ` ${GUEST_NAMES}` : ""}"`;
		return `\t\t${name}) words=${words} ;;`;
	});
	return `# bash completion for bulkhead
_bulkhead() {
	local current="\${COMP_WORDS[COMP_CWORD]}" command="" words="" word
	for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == -* ]] || { command="$word"; break; }
	done
	case "$command" in
		"") words="${[...commands.map(({ name }) => name), ...globals].join(" ")}" ;;
${cases.join("\n")}
	esac
	COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _bulkhead bulkhead
`;
}

function zsh(commands: readonly Words[], globals: readonly string[]): string {
	const described = commands.map(({ name, summary }) => `'${name}:${summary.replaceAll("'", "'\\''")}'`);
	const cases = commands.map(({ name, parts, options, guests }) => {
		const names = guests ? ` ${GUEST_NAMES}` : "";
		return `\t\t${name}) compadd -- ${[...parts, ...globals, ...options].join(" ")}${names}; _files ;;`;
	});
	return `#compdef bulkhead
_bulkhead() {
	local -a commands
	commands=(${described.join(" ")})
	if (( CURRENT == 2 )); then
		_describe command commands
		return
	fi
	case "$words[2]" in
${cases.join("\n")}
	esac
}
compdef _bulkhead bulkhead
`;
}

function fish(commands: readonly Words[], globals: readonly string[]): string {
	const first = `not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(" ")}`;
	const lines = commands.flatMap(({ name, summary, parts, options, guests }) => [
		`complete -c bulkhead -f -n "${first}" -a ${name} -d ${fishQuoted(summary)}`,
		...parts.map((part) => `complete -c bulkhead -n "__fish_seen_subcommand_from ${name}" -a ${part}`),
		...options.map((option) => `complete -c bulkhead -n "__fish_seen_subcommand_from ${name}" -l ${option.slice(2)}`),
		...(guests
			? [`complete -c bulkhead -f -n "__fish_seen_subcommand_from ${name}" -a "${GUEST_NAMES.slice(1)}"`]
			: []),
	]);
	return `# fish completion for bulkhead
${[...globals.map((option) => `complete -c bulkhead -l ${option.slice(2)}`), ...lines].join("\n")}
`;
}

const fishQuoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
