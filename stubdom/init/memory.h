#pragma once
/* Logs how much memory this domain has and how much of it is left, from /proc/meminfo. */
void log_memory(void);
