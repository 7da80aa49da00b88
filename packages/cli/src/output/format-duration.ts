/** "3 days, 1:02:03" as `xl uptime` has it; a part of a second is dropped. */
export function formatDuration(seconds: number): string {
	const whole = Math.max(0, Math.floor(seconds));
	const days = Math.floor(whole / 86_400);
	const hours = Math.floor((whole % 86_400) / 3600);
	const minutes = `${Math.floor((whole % 3600) / 60)}`.padStart(2, "0");
	const rest = `${whole % 60}`.padStart(2, "0");
	return `${days === 0 ? "" : `${days} ${days === 1 ? "day" : "days"}, `}${hours}:${minutes}:${rest}`;
}
