#pragma once
/* Loads the modules listed in /etc/modules (one "path parameters…" per line, dependencies first; made with the image),
 * then forbids loading any more. */
void load_modules(void);
