#pragma once
/* Lists of modules, made with the image: one "path parameters…" per line, dependencies first. An image whose kernel has
 * everything built in has no lists. */
#define CORE_MODULES "/etc/modules"
#define NETWORK_MODULES "/etc/modules.network"

/* Loads the modules of a list. */
void load_modules(const char *list_path);
/* No module can be loaded from now on. */
void forbid_modules(void);
/* Sets parameters of drivers, once they are there. */
void tune_drivers(void);
